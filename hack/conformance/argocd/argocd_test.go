// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package argocd

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/argoproj/argo-cd/v3/common"
	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/db"
	"github.com/argoproj/argo-cd/v3/util/settings"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clustercredential/operator/hack/conformance/world"
)

func TestMain(m *testing.M) { os.Exit(world.Main(m)) }

const (
	name   = "argocd" // of the ClusterCredential and of the Secret
	output = `[{secretName: argocd, format: ArgoCD, clusterName: prod-1, labels: {env: prod},
    argocd: {project: fleet, namespaces: [a, b], clusterResources: true}}]`
)

// Amid it all Argo CD writes the Secret, too.
func TestArgoCDLogsInBeforeAndAfterARotationAndKeepsWhatItHasAdded(t *testing.T) {
	w := world.Shared(t)
	w.Apply(t, name, "shop", output)
	first := w.Issued(t, name)
	before := load(t, w)
	wantAccepted(t, w, before, first)
	if before.Name != "prod-1" || before.Project != "fleet" || fmt.Sprint(before.Namespaces) != "[a b]" || !before.ClusterResources ||
		before.Labels["env"] != "prod" {
		t.Errorf("Argo CD sees the cluster %s in the project %s, with the namespaces %v and the labels %v",
			before.Name, before.Project, before.Namespaces, before.Labels)
	}
	secret := stored(t, w)
	amended := amend(t, w)
	if string(amended.Data["config"]) != string(secret.Data["config"]) {
		t.Error("Argo CD writes another config than ours, so that the two would take turns")
	}
	wantAccepted(t, w, load(t, w), first)

	second := w.Rotate(t, name, first)
	after := load(t, w)
	wantAccepted(t, w, after, second)
	wantAccepted(t, w, before, first) // it keeps it until it has seen the other one
	if before.ID != after.ID || before.Server != after.Server || before.Name != after.Name {
		t.Error("Argo CD takes it for another cluster")
	}
	wantKept(t, amended, stored(t, w))
}

// amend has Argo CD give the cluster to one of its controllers, and ask itself to look anew: a key and two annotations.
func amend(t *testing.T, w *world.World) *corev1.Secret {
	t.Helper()
	argo := db.NewDB(w.Namespace, settings.NewSettingsManager(t.Context(), hub(t, w), w.Namespace), hub(t, w))
	cluster := load(t, w)
	shard := int64(3)
	cluster.Shard, cluster.RefreshRequestedAt = &shard, &metav1.Time{Time: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
	if _, err := argo.UpdateCluster(t.Context(), cluster); err != nil {
		t.Fatal(err)
	}
	amended := stored(t, w)
	if len(amended.Data["shard"]) == 0 || amended.Annotations[v1alpha1.AnnotationKeyRefresh] == "" ||
		amended.Annotations[common.AnnotationKeyManagedBy] == "" {
		t.Fatal("Argo CD has added nothing")
	}
	return amended
}

// wantKept fails if anything that stood in the Secret is gone, or is another one, but for the credential and our own marks.
func wantKept(t *testing.T, before, after *corev1.Secret) {
	t.Helper()
	if before.UID != after.UID {
		t.Error("the Secret was made anew")
	}
	for key, value := range before.Data {
		if key != "config" && string(after.Data[key]) != string(value) {
			t.Errorf("the key %s is another one", key)
		}
	}
	if !maps.Equal(before.Labels, after.Labels) {
		t.Errorf("the labels are %v, want %v", after.Labels, before.Labels)
	}
	for key, value := range before.Annotations {
		if !strings.HasPrefix(key, "clustercredential.dev/") && after.Annotations[key] != value {
			t.Errorf("the annotation %s is %q, want %q", key, after.Annotations[key], value)
		}
	}
}

// hub is for the API server that Argo CD runs at.
func hub(t *testing.T, w *world.World) kubernetes.Interface {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", w.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	return clientOf(t, config)
}

func clientOf(t *testing.T, config *rest.Config) kubernetes.Interface {
	t.Helper()
	c, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// stored finds a Secret as Argo CD does, by its label.
func stored(t *testing.T, w *world.World) *corev1.Secret {
	t.Helper()
	clusters := common.LabelKeySecretType + "=" + common.LabelValueSecretTypeCluster
	found, err := hub(t, w).CoreV1().Secrets(w.Namespace).List(t.Context(), metav1.ListOptions{
		LabelSelector: clusters, FieldSelector: "metadata.name=" + name,
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Items) != 1 {
		t.Fatalf("Argo CD finds %d clusters in the Secret %s, want one", len(found.Items), name)
	}
	return &found.Items[0]
}

// load reads the Secret as Argo CD does.
func load(t *testing.T, w *world.World) *v1alpha1.Cluster {
	t.Helper()
	cluster, err := db.SecretToCluster(stored(t, w))
	if err != nil {
		t.Fatal(err)
	}
	return cluster
}

// credentialID is where the API server tells with which certificate one has logged in.
const credentialID = "authentication.kubernetes.io/credential-id"

// wantAccepted makes a request as Argo CD would, and asks the server as whom and with which certificate it has taken it.
func wantAccepted(t *testing.T, w *world.World, cluster *v1alpha1.Cluster, want world.Certificate) {
	t.Helper()
	raw, err := cluster.RawRestConfig() // RESTConfig hides it in a transport
	if err != nil {
		t.Fatal(err)
	}
	if raw.Insecure || len(raw.CAData) == 0 {
		t.Error("Argo CD does not verify the server")
	}
	if serial := serialOf(t, raw.CertData); serial != want.Serial {
		t.Errorf("Argo CD presents the certificate %s, want %s", serial, want.Serial)
	}
	config, err := cluster.RESTConfig()
	if err != nil {
		t.Fatal(err)
	}
	review, err := clientOf(t, config).AuthenticationV1().SelfSubjectReviews().
		Create(t.Context(), &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
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
}

func serialOf(t *testing.T, certPEM []byte) string {
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
