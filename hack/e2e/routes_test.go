// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/rendered"
	"github.com/clustercredential/operator/hack/stack"
)

// Why commands of the pages are left out, in short.
const (
	inCI       = "CI runs it"
	minutes    = "it takes minutes; make test runs the same test"
	named      = "the text names the command, without what belongs to it"
	noRegistry = "the address is an example"
)

// namespaces makes namespaces, as if they had been there.
func namespaces(names ...string) func(*reader) {
	return func(r *reader) {
		for _, name := range names {
			r.w.kubectl("create", "namespace", name)
		}
	}
}

// The page begins on an empty hub, with a namespace alone.
func securityRoute() route {
	return route{
		page: "docs/security.md",
		skip: map[string]string{"make sbom": inCI, "make vulncheck": inCI},
		before: map[string]func(*reader){
			"kubectl create namespace fleet":     namespaces("argocd", "team-b"),
			"kubectl clustercredential whose":    leak("leaked.kubeconfig"),
			"kubectl label namespace monitoring": namespaces("monitoring"),
		},
		after: map[string]func(*reader){
			"(cd config/namespaced":         (*reader).listTeamB,
			"make deploy CONFIG=my-cluster": func(r *reader) { r.restart(); r.firstCredential() },
		},
	}
}

// listTeamB names the namespace twice, as the page says, and deploys.
func (r *reader) listTeamB() {
	r.t.Helper()
	file := filepath.Join(r.dir, "config/namespaced/kustomization.yaml")
	text, err := os.ReadFile(file)
	must(r.t, err)
	named := strings.NewReplacer("\n- fleet\n", "\n- fleet\n- team-b\n", "--namespaces=fleet", "--namespaces=fleet,team-b").Replace(string(text))
	must(r.t, os.WriteFile(file, []byte(named), 0o600))
	r.w.make(r.dir, "deploy", "CONFIG=config/namespaced")
	r.w.kubectl("get", "rolebinding", "-n", "team-b", rendered.Name)
	args := r.w.kubectl("get", "-n", systemNamespace, "deployment", rendered.Name, "-o", "jsonpath={.spec.template.spec.containers[0].args}")
	if !strings.Contains(args, "--namespaces=fleet,team-b") {
		r.t.Errorf("the operator does not look at team-b: %s", args)
	}
}

func iamRoute() route {
	return route{
		page:  "docs/iam.md",
		skip:  map[string]string{"kubectl get -o wide": named, "kubectl --kubeconfig FILE auth whoami": named},
		after: map[string]func(*reader){"make deploy CONFIG=my-cluster": (*reader).restart},
	}
}

func conditionsRoute() route {
	return route{page: "docs/conditions.md", prints: map[string]string{"kubectl describe": "Issued"}}
}

// plugin begins with a home in which nothing is.
func pluginRoute() route {
	return route{
		page: "docs/kubectl.md",
		before: map[string]func(*reader){
			"kubectl clustercredential renew": (*reader).anew,
			"kubectl clustercredential audit": (*reader).releasedSecret,
			"kubectl clustercredential whose": leak("found-on-a-laptop.kubeconfig"),
		},
		after: map[string]func(*reader){
			"kubectl clustercredential kubeconfig -n fleet prod-1 --merge ~/.kube/config --set-current": (*reader).logsInAsUser,
			"kubectl clustercredential kubeconfig -n fleet prod-1 --merge ~/.kube/config --exec":        (*reader).logsInAsUser,
		},
		exits: map[string]int{"kubectl clustercredential audit": 2}, // it finds something
		prints: map[string]string{
			"kubectl clustercredential list":   "prod-1",
			"kubectl clustercredential why":    "No certificate is due.",
			"kubectl clustercredential renew":  "clustercredential fleet/prod-1 renewed: serial ",
			"kubectl clustercredential verify": "Accepted",
			"kubectl clustercredential audit":  "Released",
			"kubectl clustercredential whose":  "Found           ClusterCredential fleet/prod-1",
		},
	}
}

// leak copies a published kubeconfig into a file.
func leak(file string) func(*reader) {
	return func(r *reader) {
		text := r.w.kubectl("get", "secret", "-n", "fleet", "prod-1-kubeconfig", "-o", "go-template={{.data.value | base64decode}}")
		must(r.t, os.WriteFile(filepath.Join(r.dir, file), []byte(text), 0o600))
	}
}

// releasedSecret leaves a Secret behind whose ClusterCredential is gone.
func (r *reader) releasedSecret() {
	r.t.Helper()
	r.w.kubectlInput(inNamespace("fleet", credentialOf("prod-4", stack.AccountName, "{name: prod-1}")))
	r.w.kubectl("wait", "-n", "fleet", "clustercredential/prod-4", "--for=condition=Ready", "--timeout=28s")
	r.w.kubectl("delete", "-n", "fleet", "clustercredential/prod-4")
	r.w.eventually(eventTime, func() error {
		if state := r.w.kubectl("get", "-n", "fleet", "secret/prod-4-kubeconfig", "-o", "yaml"); !strings.Contains(state, v1alpha1.AnnotationReleasedAt) {
			return fmt.Errorf("it is not released: it says not %s", v1alpha1.AnnotationReleasedAt)
		}
		return nil
	})
}

// logsInAsUser uses the kubeconfig in the reader's home.
func (r *reader) logsInAsUser() {
	r.t.Helper()
	c := command{text: "kubectl --kubeconfig ~/.kube/config --context fleet-prod-1 auth whoami"}
	if said := r.run(c); !strings.Contains(said, stack.UserID) {
		r.t.Errorf("%s: %s", c.text, said)
	}
}

func operatingRoute() route {
	return route{
		page: "docs/operating.md",
		skip: map[string]string{
			"## Install with Helm": "TestCredentialsOutliveTheRelease follows this section",
			"kubectl logs":         noPods,
		},
		before: map[string]func(*reader){
			"kubectl get clustercredentials -A | grep FleetHeld": (*reader).massChange,
			// The page on security says it, too.
			"kubectl create rolebinding credentials": func(r *reader) { r.w.kubectl("delete", "rolebinding", "-n", "fleet", "credentials") },
			"kubectl apply --server-side -k config/prometheus": func(r *reader) {
				r.kinds(kind{"ServiceMonitor", "servicemonitors", "monitoring.coreos.com", "v1"}, kind{"PrometheusRule", "prometheusrules", "monitoring.coreos.com", "v1"})
			},
		},
		after: map[string]func(*reader){"kubectl apply --server-side -k my-cluster": (*reader).restart},
		prints: map[string]string{
			"kubectl get clustercredentials -A | grep FleetHeld": "mass-",
			"kubectl get events -A":                              "mass-",
			"kubectl get pods":                                   "No resources found", // as nothing runs Pods here
			"kubectl describe -n fleet clustercredential":        "Issued",
		},
	}
}

// kind is one that another project brings along.
type kind struct{ name, plural, group, version string }

// foreignKind defines one, without a schema.
const foreignKind = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: PLURAL.GROUP}
spec:
  group: GROUP
  scope: Namespaced
  names: {kind: KIND, plural: PLURAL}
  versions:
  - {name: VERSION, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
`

// kinds makes the API server know more of them.
func (r *reader) kinds(all ...kind) {
	for _, k := range all {
		r.w.kubectlInput(strings.NewReplacer("KIND", k.name, "PLURAL", k.plural, "GROUP", k.group, "VERSION", k.version).Replace(foreignKind))
		r.w.kubectl("wait", "crd/"+k.plural+"."+k.group, "--for=condition=Established", "--timeout=20s")
	}
}

func gitopsRoute() route {
	tools := func(r *reader) {
		namespaces("flux-system")(r)
		r.kinds(
			kind{"Application", "applications", "argoproj.io", "v1alpha1"},
			kind{"GitRepository", "gitrepositories", "source.toolkit.fluxcd.io", "v1"},
			kind{"Kustomization", "kustomizations", "kustomize.toolkit.fluxcd.io", "v1"},
		)
		r.w.kubectl("create", "configmap", "argocd-cm", "-n", "argocd")
	}
	return route{
		page: "docs/gitops.md", skip: map[string]string{"kubectl create secret": named},
		before: map[string]func(*reader){
			"kubectl patch configmap argocd-cm":                tools,
			"kubectl annotate -n fleet clustercredential/prod": (*reader).anew,
		},
	}
}

// faq ends with what it began with.
func faqRoute() route {
	back := func(r *reader) {
		r.w.kubectl("delete", "-n", "fleet", "clustercredential/production")
		r.firstCredential()
	}
	return route{
		page: "docs/faq.md", replace: theKey(),
		after: map[string]func(*reader){"kubectl wait -n fleet cloudaccount/huawei-prod": back},
	}
}

func contributingRoute() route {
	return route{
		page: "CONTRIBUTING.md",
		skip: map[string]string{
			"go test ./controllers/rotation": "make test runs the same test, and hack/doccheck looks that it is there",
			"go test ./controllers -run":     minutes,
			"## A release":                   "make release-test makes one in CI",
			"make run":                       "it goes on for ever; every test here runs the same program",
		},
	}
}

func upgradeRoute() route {
	return route{
		page: "docs/upgrade.md",
		skip: map[string]string{
			"make docker-build": noEngine, "docker push": noRegistry, "helm upgrade": named, "kubectl apply --server-side -f": named,
		},
		after: map[string]func(*reader){"make deploy": (*reader).restart},
	}
}

func uninstallRoute() route {
	end := func(r *reader) { r.w.endManager() } // as Pods do whose Deployment is gone
	return route{
		page: "docs/uninstall.md",
		skip: map[string]string{"kubectl delete -f": named, "kubectl delete -k config/crd": "the kinds are gone already here"},
		before: map[string]func(*reader){
			"kubectl delete deployment":                                                    end,
			"kubectl delete clustercredentials --all -n fleet --timeout":                   (*reader).firstCredential,
			"kubectl delete --ignore-not-found -k config/default":                          end,
			"kubectl patch clustercredential -n fleet prod-1 --type=merge -p '{\"metadata": (*reader).stuckCredential,
		},
		after: map[string]func(*reader){
			"kubectl delete deployment": func(r *reader) { r.w.make(r.dir, "deploy"); r.restart() },
			"kubectl patch clustercredential -n fleet prod-1 --type=merge -p '{\"metadata": func(r *reader) {
				r.w.kubectl("wait", "-n", "fleet", "--for=delete", "clustercredential/prod-1", "--timeout=20s")
			},
		},
	}
}

// stuckCredential is one that waits for an operator that is gone.
func (r *reader) stuckCredential() {
	r.t.Helper()
	r.w.make(r.dir, "install")
	stuck := credentialOf("prod-1", stack.AccountName, "{name: prod-1}")
	stuck = strings.Replace(stuck, "\nmetadata:\n", "\nmetadata:\n  finalizers: ["+v1alpha1.FinalizerOutputs+"]\n", 1)
	r.w.kubectlInput(inNamespace("fleet", stuck))
	r.w.kubectl("delete", "-n", "fleet", "clustercredential/prod-1", "--wait=false")
	if left := r.w.kubectl("get", "-n", "fleet", "clustercredential/prod-1", "-o", "name"); left == "" {
		r.t.Error("it goes although it has a finalizer")
	}
}
