// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"strings"
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
	w.throughout(3*time.Second, func() error { return w.isGone(theirs, "planted") })
	w.wantPosts(0, "theirs")

	// The administrator consents by a label, and takes it back.
	w.kubectl("label", "namespace", w.namespace, "tier=gold")
	w.kubectl("patch", "clustercloudaccount", lent, "--type=merge", "-p", `{"spec":{"grants":[{"namespaces":{"selector":{"matchLabels":{"tier":"gold"}}},"clusters":{"names":["their*"]}}]}}`)
	w.waitReady("lent")
	w.kubectl("label", "namespace", w.namespace, "tier-")
	w.requestRenewal("again", "lent")
	w.eventually(eventTime, func() error {
		return w.says("lent", v1alpha1.ConditionIssued, "False", v1alpha1.ReasonAccountNotAllowed)
	})
	w.wantPosts(1, "theirs")
}
