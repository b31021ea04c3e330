// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package commands

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	authenticationclient "k8s.io/client-go/kubernetes/typed/authentication/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clustercredential/operator/controllers/kubeconfig"
	"github.com/clustercredential/operator/controllers/verify"
)

type verifyOptions struct {
	timeout time.Duration
	output  string
}

func newVerify(h *hub) *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use: "verify NAME", Short: "Log in to the cluster with what the Secret holds, from here", Args: cobra.ExactArgs(1),
		ValidArgsFunction: h.completeOne,
		RunE:              func(cmd *cobra.Command, args []string) error { return h.verify(cmd.Context(), args[0], o) },
	}
	cmd.Flags().DurationVar(&o.timeout, "timeout", 10*time.Second, "how long the cluster may take")
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "json")
	choices(cmd, "output", formatJSON)
	return cmd
}

// verified is what came of it.
type verified struct {
	Verdict string   `json:"verdict"`
	Detail  string   `json:"detail"`
	User    string   `json:"user,omitempty"`
	Groups  []string `json:"groups,omitempty"`
	Server  string   `json:"server"`
	Serial  string   `json:"serialNumber"`
	// SignedByCA is true where the CA in the kubeconfig has signed the client certificate.
	SignedByCA bool      `json:"signedByCA"`
	Insecure   bool      `json:"insecure"`
	NotAfter   time.Time `json:"notAfter"`
}

func (h *hub) verify(ctx context.Context, name string, o verifyOptions) error {
	if err := oneOf("--output", o.output, "", formatJSON); err != nil {
		return err
	}
	_, _, credential, err := h.handedOut(ctx, name)
	if err != nil {
		return err
	}
	outcome := verify.New(verify.Options{
		Attempt: o.timeout, Total: o.timeout, UserAgent: "kubectl-clustercredential/" + h.Version,
	}).Try(ctx, credential, false)
	found := verified{
		Verdict: outcome.Verdict.String(), Detail: outcome.Detail, Server: credential.Server, Serial: credential.SerialNumber,
		SignedByCA: kubeconfig.ChainsTo(credential.Identity, credential.CAPEM), Insecure: credential.Insecure, NotAfter: credential.NotAfter,
	}
	if outcome.Verdict == verify.Accepted {
		found.User, found.Groups = whoIs(ctx, credential, o.timeout)
	}
	if err := h.tellVerified(found, o.output); err != nil {
		return err
	}
	switch outcome.Verdict {
	case verify.Accepted:
		return nil
	case verify.Refused:
		return errNo
	default:
		return fmt.Errorf("the cluster could not be asked from here: %s", outcome.Detail)
	}
}

// whoIs asks the cluster whom it takes the bearer for; nobody knows where it does not say (before Kubernetes 1.28).
func whoIs(ctx context.Context, c kubeconfig.Credential, timeout time.Duration) (user string, groups []string) {
	text, err := kubeconfig.Render("target", c)
	if err != nil {
		return "", nil
	}
	config, err := clientcmd.RESTConfigFromKubeConfig(text)
	if err != nil {
		return "", nil
	}
	config.Timeout = timeout
	target, err := authenticationclient.NewForConfig(config)
	if err != nil {
		return "", nil
	}
	review, err := target.SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return "", nil
	}
	return review.Status.UserInfo.Username, review.Status.UserInfo.Groups
}

func (h *hub) tellVerified(v verified, format string) error {
	if format == formatJSON {
		return h.print(format, v)
	}
	text := &lines{}
	text.add("Verdict", v.Verdict+": "+v.Detail)
	if v.User != "" {
		text.add("User", v.User)
		text.add("Groups", strings.Join(v.Groups, ", "))
	}
	text.add("Server", v.Server)
	switch {
	case v.Insecure:
		text.add("CA", "none: the server is not verified")
	case v.SignedByCA:
		text.add("CA", "has signed the client certificate")
	default:
		text.add("CA", "has not signed the client certificate; the cluster may know several")
	}
	text.add("Certificate", fmt.Sprintf("serial %s, valid until %s", v.Serial, when(v.NotAfter, h.Now())))
	return h.write(text)
}
