// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package consumers

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"testing"

	"github.com/go-logr/logr"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/hack/conformance/world"
)

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	os.Exit(world.Main(m))
}

// scheme holds what the tests ask for.
func scheme(t testing.TB) *runtime.Scheme {
	t.Helper()
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, authenticationv1.AddToScheme} {
		if err := add(s); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// hubConfig is for the API server that the consumers run at, where the Secrets are.
func hubConfig(t testing.TB, w *world.World) *rest.Config {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", w.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1 // no limit
	return config
}

func hub(t testing.TB, w *world.World) client.Client {
	t.Helper()
	return clientOf(t, hubConfig(t, w))
}

func clientOf(t testing.TB, config *rest.Config) client.Client {
	t.Helper()
	c, err := client.New(config, client.Options{Scheme: scheme(t)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func secretOf(t testing.TB, w *world.World, name string) *corev1.Secret {
	t.Helper()
	secret := &corev1.Secret{}
	if err := hub(t, w).Get(t.Context(), client.ObjectKey{Namespace: w.Namespace, Name: name}, secret); err != nil {
		t.Fatal(err)
	}
	return secret
}

// session is what a consumer has made of a Secret.
type session struct {
	client client.Client
	// config is what the client was made of; nil: the consumer keeps it to itself.
	config *rest.Config
}

func sessionOf(t testing.TB, config *rest.Config, err error) session {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return session{clientOf(t, config), config}
}

// credentialID is where the API server tells with which certificate one has logged in.
const credentialID = "authentication.kubernetes.io/credential-id"

// wantAccepted makes a request, and asks the server as whom and with which certificate it has taken it.
func (s session) wantAccepted(t testing.TB, w *world.World, want world.Certificate) {
	t.Helper()
	review := &authenticationv1.SelfSubjectReview{}
	if err := s.client.Create(t.Context(), review); err != nil {
		t.Errorf("with the certificate %s: %v", want.Serial, err)
		return
	}
	user := review.Status.UserInfo
	if user.Username != w.User {
		t.Errorf("it logs in as %q, want %q", user.Username, w.User)
	}
	if with := user.Extra[credentialID]; len(with) != 1 || with[0] != "X509SHA256="+want.Fingerprint {
		t.Errorf("it logs in with %v, want the certificate %s, %s", with, want.Serial, want.Fingerprint)
	}
	if s.config != nil && s.config.ExecProvider == nil {
		if serial := serialOf(t, s.config.CertData); serial != want.Serial {
			t.Errorf("it presents the certificate %s, want %s", serial, want.Serial)
		}
		if s.config.Insecure || len(s.config.CAData) == 0 {
			t.Error("it does not verify the server")
		}
	}
}

func serialOf(t testing.TB, certPEM []byte) string {
	t.Helper()
	block, _ := pem.Decode(certPEM)
	if block == nil {
		t.Fatal("it presents no certificate")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%X", certificate.SerialNumber.Bytes())
}
