// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package commands

import (
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/cmd/kubectl-clustercredential/merge"
	"github.com/clustercredential/operator/controllers"
	"github.com/clustercredential/operator/controllers/kubeconfig"
	"github.com/clustercredential/operator/controllers/output"
)

type kubeconfigOptions struct {
	file, merge, name           string
	exec, overwrite, setCurrent bool
}

const aboutKubeconfig = `Prints the kubeconfig of a ClusterCredential, or writes it to a file that only you can read.

With --exec it holds no key: it names this program, which fetches the credential from the hub whenever a client needs it, and so
follows every rotation. It needs the plugin and the hub wherever it is used.`

func newKubeconfig(h *hub) *cobra.Command {
	var o kubeconfigOptions
	cmd := &cobra.Command{
		Use: "kubeconfig NAME", Short: "Print a kubeconfig, or merge it into a file", Long: aboutKubeconfig, Args: cobra.ExactArgs(1),
		ValidArgsFunction: h.completeOne,
		RunE:              func(cmd *cobra.Command, args []string) error { return h.kubeconfig(cmd.Context(), args[0], o) },
	}
	cmd.Flags().StringVar(&o.file, "output-file", "", "write it to this new file")
	cmd.Flags().StringVar(&o.merge, "merge", "", "merge it into this kubeconfig file, which may exist")
	cmd.Flags().BoolVar(&o.exec, "exec", false, "write a user that fetches the credential through this plugin")
	cmd.Flags().StringVar(&o.name, "name", "", "name of cluster, user and context (default: as in the Secret, usually NAMESPACE-NAME)")
	cmd.Flags().BoolVar(&o.overwrite, "overwrite", false, "replace a file, or entries of that name, that are somebody else's")
	cmd.Flags().BoolVar(&o.setCurrent, "set-current", false, "with --merge: make it the current context")
	cmd.MarkFlagsMutuallyExclusive("output-file", "merge")
	return cmd
}

func (h *hub) kubeconfig(ctx context.Context, name string, o kubeconfigOptions) error {
	switch {
	case o.setCurrent && o.merge == "":
		return fmt.Errorf("--set-current goes with --merge: a kubeconfig of its own has one context, which is the current one")
	case o.overwrite && o.merge == "" && o.file == "":
		return fmt.Errorf("--overwrite goes with --merge or --output-file")
	}
	s, cc, credential, err := h.handedOut(ctx, name)
	if err != nil {
		return err
	}
	if left := credential.NotAfter.Sub(h.Now()); left <= 0 {
		fmt.Fprintf(h.Err, "warning: the certificate expired at %s%s\n", stamp(credential.NotAfter), whyNot(cc))
	}
	entry := merge.Entry{
		Name:    cmp.Or(o.name, entryName(cc)),
		Cluster: clusterOf(credential), User: userOf(credential),
		Mark: merge.Mark{Namespace: cc.Namespace, Name: cc.Name, UID: string(cc.UID)},
	}
	if o.exec {
		if entry.User, err = h.execUser(s.namespace, name); err != nil {
			return err
		}
	}
	return h.handOut(ctx, entry, o)
}

// entryName is what the kubeconfig in the Secret calls cluster, user and context. Where the output has another format, its consumer's
// name for the cluster will do.
func entryName(cc *v1alpha1.ClusterCredential) string {
	primary, _ := controllers.PrimaryOutput(cc)
	if primary.Format == v1alpha1.FormatArgoCD && primary.ClusterName == "" {
		return cc.Namespace + "-" + cc.Name
	}
	return output.Facts{Name: cc.Name, Namespace: cc.Namespace}.ClusterName(primary)
}

func (h *hub) handOut(ctx context.Context, entry merge.Entry, o kubeconfigOptions) error {
	if o.merge != "" {
		if err := merge.File(ctx, o.merge, entry, merge.Options{Overwrite: o.overwrite, SetCurrent: o.setCurrent}); err != nil {
			return err
		}
		fmt.Fprintf(h.Err, "context %q is in %s\n", entry.Name, o.merge)
		return nil
	}
	config := api.NewConfig()
	config.Clusters[entry.Name], config.AuthInfos[entry.Name] = entry.Cluster, entry.User
	config.Contexts[entry.Name] = &api.Context{Cluster: entry.Name, AuthInfo: entry.Name}
	config.CurrentContext = entry.Name
	text, err := clientcmd.Write(*config)
	if err != nil {
		return err
	}
	if o.file != "" {
		return merge.Write(o.file, text, o.overwrite)
	}
	_, err = h.Out.Write(text)
	return err
}

func clusterOf(c kubeconfig.Credential) *api.Cluster {
	return &api.Cluster{
		Server: c.Server, CertificateAuthorityData: c.CAPEM, TLSServerName: c.TLSServerName, ProxyURL: c.ProxyURL,
		InsecureSkipTLSVerify: c.Insecure,
	}
}

func userOf(c kubeconfig.Credential) *api.AuthInfo {
	return &api.AuthInfo{ClientCertificateData: c.CertPEM, ClientKeyData: c.KeyPEM.Reveal()}
}
