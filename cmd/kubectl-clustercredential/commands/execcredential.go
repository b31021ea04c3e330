// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package commands

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientauthenticationv1 "k8s.io/client-go/pkg/apis/clientauthentication/v1"
	clientauthenticationv1beta1 "k8s.io/client-go/pkg/apis/clientauthentication/v1beta1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clustercredential/operator/controllers/kubeconfig"
)

// execInfo is the variable in which client-go says what it asks for.
const execInfo = "KUBERNETES_EXEC_INFO"

// freshFor is how long a client keeps a credential before it asks for it again. client-go looks before each request, runs the
// program only where the time has come, and keeps its connections where the certificate is the same: so a program that lives for
// months follows a rotation within minutes, for one small read of the hub each time.
const freshFor = 5 * time.Minute

func newExecCredential(h *hub) *cobra.Command {
	return &cobra.Command{
		Use: "exec-credential NAME", Short: "Print the credential for client-go (an ExecCredential); kubeconfig --exec refers to it",
		Args: cobra.ExactArgs(1), ValidArgsFunction: h.completeOne,
		RunE: func(cmd *cobra.Command, args []string) error { return h.execCredential(cmd.Context(), args[0]) },
	}
}

func (h *hub) execCredential(ctx context.Context, name string) error {
	version, err := askedVersion(h.Env(execInfo))
	if err != nil {
		return err
	}
	if err := h.enterChain(name); err != nil {
		return err
	}
	s, cc, credential, err := h.handedOut(ctx, name)
	if err != nil {
		return err
	}
	now := h.Now()
	if !now.Before(credential.NotAfter) { // client-go would run this for every request
		return fmt.Errorf("the certificate of ClusterCredential %s expired at %s%s", s.key(name), stamp(credential.NotAfter), whyNot(cc))
	}
	return json.NewEncoder(h.Out).Encode(execAnswer(version, credential, now))
}

// execChain is the variable in which the programs above this one are named: the login to the hub may need one, too.
const execChain = "CLUSTERCREDENTIAL_EXEC_CHAIN"

// enterChain refuses a login that needs itself: where the hub's own entry was replaced by one of --exec, it would never end.
func (h *hub) enterChain(name string) error {
	context, namespace := h.overrides.CurrentContext, h.overrides.Context.Namespace
	link := strings.Join([]string{h.Env(clientcmd.RecommendedConfigPathEnvVar), context, namespace, name}, "|")
	above := h.Env(execChain)
	if slices.Contains(strings.Split(above, "\n"), link) {
		return fmt.Errorf("to log in to the hub (context %q) this very credential is needed: write it with --exec into another file, and restore the hub's entry", context)
	}
	return os.Setenv(execChain, above+"\n"+link)
}

// askedVersion is the apiVersion of the answer. Without a word from the client it is v1.
func askedVersion(info string) (string, error) {
	v1, beta := clientauthenticationv1.SchemeGroupVersion.String(), clientauthenticationv1beta1.SchemeGroupVersion.String()
	if info == "" {
		return v1, nil
	}
	var asked metav1.TypeMeta
	if err := json.Unmarshal([]byte(info), &asked); err != nil {
		return "", fmt.Errorf("%s is no JSON", execInfo)
	}
	if asked.Kind != "ExecCredential" || asked.APIVersion != v1 && asked.APIVersion != beta {
		return "", fmt.Errorf("%s asks for a %s of %s; this program knows ExecCredential of %s and %s", execInfo, asked.Kind, asked.APIVersion, v1, beta)
	}
	return asked.APIVersion, nil
}

// execAnswer is the same in both versions.
func execAnswer(version string, c kubeconfig.Credential, now time.Time) clientauthenticationv1.ExecCredential {
	again := now.Add(freshFor)
	if c.NotAfter.Before(again) {
		again = c.NotAfter
	}
	return clientauthenticationv1.ExecCredential{
		TypeMeta: metav1.TypeMeta{APIVersion: version, Kind: "ExecCredential"},
		Status: &clientauthenticationv1.ExecCredentialStatus{
			ExpirationTimestamp:   &metav1.Time{Time: again.UTC().Truncate(time.Second)},
			ClientCertificateData: string(c.CertPEM), ClientKeyData: string(c.KeyPEM.Reveal()),
		},
	}
}
