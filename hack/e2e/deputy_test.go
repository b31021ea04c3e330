// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/stack"
)

// tenant is somebody with one of the shipped roles in the world's namespace, and no others.
type tenant struct {
	*world
	user string
}

func (w *world) newTenant(name, role string) tenant {
	w.t.Helper()
	w.kubectl("create", "serviceaccount", name)
	w.kubectl("create", "rolebinding", name, "--clusterrole="+role, "--serviceaccount="+w.namespace+":"+name)
	return tenant{w, "system:serviceaccount:" + w.namespace + ":" + name}
}

// tries applies a document as the tenant.
func (x tenant) tries(namespace, document string) (string, error) {
	return x.KubectlInput(document, "--as="+x.user, "--namespace="+namespace, "create", "-f", "-")
}

// Two tenants with the shipped roles: every field that refers to something is tried from the one's namespace at what is the other's, or
// the administrator's.
func TestNoFieldReachesAnotherNamespace(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"mine", "theirs"}})
	theirs := w.namespace + "-theirs"
	w.kubectl("create", "namespace", theirs)
	lent := w.namespace + "-lent"
	w.t.Cleanup(func() { _, _ = w.Kubectl("delete", "clustercloudaccount", lent, "--wait=false") })
	inTheirs := func(document string) {
		_, err := w.KubectlInput(document, "--namespace", theirs, "apply", "-f", "-")
		w.must(err)
	}
	inTheirs(namedAccountYAML("theirs", stack.AccessKey))
	w.kubectlInput(strings.Replace(strings.Replace(lentAccountYAML(theirs), "name: lent}", "name: "+lent+"}", 1),
		"name: "+lentKeys+", namespace: "+systemNamespace+"}", "name: theirs-keys, namespace: "+theirs+"}", 1))
	w.startManager("--namespaces="+w.namespace+","+theirs, "--cross-namespace-outputs")
	w.apply(accountYAML())
	editor := w.newTenant("editor", "clustercredential-operator-editor")
	admin := w.newTenant("admin", "clustercredential-operator-admin")
	local := w.localServer()

	borrowed := strings.Replace(credentialOf("lent", lent, "{id: "+w.ClusterID("theirs")+"}"), "  accountRef:", "  accountRef:\n    kind: ClusterCloudAccount", 1)
	away := credentialOf("away", theAccount, "{id: "+w.ClusterID("mine")+"}", "  outputs: [{secretName: away}, {secretName: planted, namespace: "+theirs+"}]")
	named := func(field, value string) string {
		return strings.Replace(credentialOf("x", theAccount, "{id: "+w.ClusterID("mine")+"}"), field, value, 1)
	}
	account := func(reference string) string {
		_, document, _ := strings.Cut(accountYAML(), "\n---\n")
		return strings.Replace(strings.Replace(document, "name: "+theAccount+"-keys", reference, 1), "name: "+theAccount, "name: another", 1)
	}
	grant := fmt.Sprintf("apiVersion: clustercredential.dev/v1alpha1\nkind: CredentialGrant\nmetadata: {name: mine}\nspec: {from: [{namespace: %s}], to: {secretNames: [\"*\"]}}\n", w.namespace)
	for what, try := range map[string]struct {
		who       tenant
		namespace string
		document  string
		words     string
	}{
		"a credential in another namespace":     {editor, theirs, credentialOf("x", "theirs", "{id: "+w.ClusterID("theirs")+"}"), "forbidden"},
		"an account in another namespace":       {admin, theirs, account("name: theirs-keys"), "forbidden"},
		"an account, by an editor":              {editor, w.namespace, account("name: theirs-keys"), "forbidden"},
		"consent in another's name":             {admin, theirs, grant, "forbidden"},
		"an account for all":                    {admin, w.namespace, strings.Replace(lentAccountYAML(w.namespace), "name: lent}", "name: mine}", 1), "forbidden"},
		"a namespace in accountRef":             {editor, w.namespace, named("    name: "+theAccount, "    name: theirs\n    namespace: "+theirs), "unknown field"},
		"a namespace within accountRef.name":    {editor, w.namespace, named("    name: "+theAccount, "    name: "+theirs+"/theirs"), "spec.accountRef.name"},
		"a namespace in secretRef":              {admin, w.namespace, account("name: theirs-keys\n        namespace: " + theirs), "unknown field"},
		"a namespace within secretRef.name":     {admin, w.namespace, account("name: " + theirs + "/theirs-keys"), "secretRef.name"},
		"an address of the cloud in an account": {admin, w.namespace, account("name: theirs-keys") + "  endpoints: {cce: \"https://example.com\"}\n", "unknown field"},
		"the operator's identity in an account": {admin, w.namespace, strings.Replace(account("name: x"), "    accessKey:", "    instanceMetadata: {}\n    accessKey:", 1), "unknown field"},
		"the operator's login in an account":    {admin, w.namespace, strings.Replace(account("name: x"), "    accessKey:", "    oidc: {idpID: a, tokenFile: /var/run/secrets/a}\n    accessKey:", 1), "unknown field"},
		"a namespace in a token's secretRef":    {admin, w.namespace, strings.Replace(account("name: theirs-keys\n        namespace: "+theirs), "accessKey:", "token:", 1), "unknown field"},
		"the operator's agency in an account":   {admin, w.namespace, strings.Replace(account("name: x"), "    accessKey:", "    podIdentity: {}\n    accessKey:", 1), "unknown field"},
		"a path within an id":                   {editor, w.namespace, named(w.ClusterID("mine"), "../"+w.ClusterID("mine")), "spec.cluster.id"},
		"an escaped path within an id":          {editor, w.namespace, named("{id: "+w.ClusterID("mine")+"}", "{id: \"%2e%2e%2f"+w.ClusterID("mine")+"\"}"), "spec.cluster.id"},
		"a query within an id":                  {editor, w.namespace, named("{id: "+w.ClusterID("mine")+"}", "{id: \""+w.ClusterID("mine")+"?a=b\"}"), "spec.cluster.id"},
		"a line end within an id":               {editor, w.namespace, named("{id: "+w.ClusterID("mine")+"}", "{id: \""+w.ClusterID("mine")+"\\nX: y\"}"), "spec.cluster.id"},
		"a path in a project":                   {admin, w.namespace, strings.Replace(account("name: x"), "projectID: "+stack.ProjectID, "projectID: ../"+stack.ProjectID[:20], 1), "spec.projectID"},
		"a host within a region":                {admin, w.namespace, strings.Replace(account("name: x"), "region: "+stack.Region, "region: example.com/a", 1), "spec.region"},
	} {
		if out, err := try.who.tries(try.namespace, try.document); err == nil || !strings.Contains(out, try.words) {
			t.Errorf("%s is let through, or refused for something else than %q: %s", what, try.words, out)
		}
	}
	if out, err := w.Kubectl("--as="+editor.user, "--namespace="+w.namespace, "get", "secrets"); err == nil {
		t.Errorf("an editor reads Secrets: %s", out)
	}

	// What the API server has to let through, the operator refuses.
	for what, document := range map[string]string{
		"another's account by its name": credentialOf("by-name", "theirs", "{id: "+w.ClusterID("theirs")+"}"), "an account that is not lent": borrowed, "an output away": away,
		"a server on the operator's machine": credentialOf("local", theAccount, "{id: "+w.ClusterID("mine")+"}",
			"  endpoint: {server: \"https://localhost:"+local.port+"\"}"),
		"a proxy on the operator's machine": credentialOf("by-proxy", theAccount, "{id: "+w.ClusterID("mine")+"}",
			"  endpoint: {server: \"https://198.51.100.7\", proxyURL: \"http://localhost:"+local.port+"\"}"),
	} {
		if out, err := editor.tries(w.namespace, document); err != nil {
			t.Fatalf("%s: %s", what, out)
		}
	}
	w.eventually(eventTime, func() error {
		return w.says("by-name", v1alpha1.ConditionIssued, "False", v1alpha1.ReasonAccountNotFound)
	})
	w.eventually(eventTime, func() error {
		return w.says("lent", v1alpha1.ConditionIssued, "False", v1alpha1.ReasonAccountNotAllowed)
	})
	w.eventually(eventTime, func() error {
		return w.says("away", v1alpha1.ConditionPublished, "False", v1alpha1.ReasonNotGranted)
	})
	for _, name := range []string{"local", "by-proxy"} {
		w.eventually(eventTime, func() error {
			return w.says(name, v1alpha1.ConditionVerified, "Unknown", v1alpha1.ReasonUnreachable)
		})
	}
	w.throughout(3*time.Second, func() error { return w.isGone(theirs, "planted") })
	w.wantPosts(0, "theirs")
	if n := local.connections.Load(); n > 0 {
		t.Errorf("%d connections to the operator's machine", n)
	}

	// The administrator consents by a label, and takes it back.
	w.kubectl("label", "namespace", w.namespace, "tier=gold")
	w.kubectl("patch", "clustercloudaccount", lent, "--type=merge", "-p", `{"spec":{"grants":[{"namespaces":{"selector":{"matchLabels":{"tier":"gold"}}},"clusters":{"names":["their*"]}}]}}`)
	w.waitReady("lent")
	w.kubectl("label", "namespace", w.namespace, "tier-")
	w.requestRenewal("again", "lent")
	withdrawn := time.Now()
	w.eventually(eventTime, func() error {
		return w.says("lent", v1alpha1.ConditionIssued, "False", v1alpha1.ReasonAccountNotAllowed)
	})
	w.wantPosts(1, "theirs")
	t.Logf("what was withdrawn counts after %s", time.Since(withdrawn).Round(time.Millisecond))
	w.wantReadOnly(theirs, "theirs-keys")
}

// wantReadOnly fails if the operator has read another Secret of a namespace than one, which an administrator's account names, or has
// listed others than its own.
func (w *world) wantReadOnly(namespace, name string) {
	w.t.Helper()
	all, err := w.audit.read()
	w.must(err)
	reads, strays := 0, []string{}
	for _, r := range all {
		if r.Object.Resource != "secrets" || r.Object.Namespace != namespace {
			continue
		}
		reads++
		selector := "labelSelector=" + url.QueryEscape("!"+v1alpha1.LabelClass+","+v1alpha1.LabelManaged+"=true") + "&"
		ours := strings.Contains(r.URI, selector) && r.Object.Name == ""
		if r.changes() || !ours && r.Object.Name != name {
			strays = append(strays, r.String()+" "+r.URI)
		}
	}
	w.t.Logf("%d requests for Secrets of that namespace, %d of them for others than %s", reads, len(strays), name)
	if len(strays) > 0 || reads == 0 {
		w.t.Errorf("requests for Secrets of %s:\n%s", namespace, strings.Join(strays, "\n"))
	}
}

// localServer is something on the operator's machine that is nobody's business.
type localServer struct {
	port        string
	connections atomic.Int64
}

func (w *world) localServer() *localServer {
	w.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	w.t.Cleanup(func() { _ = listener.Close() })
	_, port, err := net.SplitHostPort(listener.Addr().String())
	w.must(err)
	s := &localServer{port: port}
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return // closed
			}
			s.connections.Add(1)
			_ = connection.Close()
		}
	}()
	return s
}
