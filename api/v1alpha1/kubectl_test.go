// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// told are statuses as the operator writes them.
var told = map[string]string{
	credential: `
status:
  observedGeneration: 1
  cluster: prod-1
  clusterID: 1f3a5c7e-0b2d-4f6a-8c9e-1a2b3c4d5e6f
  access: External
  server: https://203.0.113.7:5443
  revision: 4
  renewalTime: "2099-01-21T03:04:05Z"
  certificate:
    serialNumber: 1A2B3C
    fingerprintSHA256: "00"
    commonName: 0a1b2c3d
    notBefore: "2099-01-01T03:04:05Z"
    notAfter: "2099-01-31T03:04:05Z"
  conditions:
  - {type: Ready, status: "True", reason: Valid, message: "", lastTransitionTime: "2026-01-02T03:04:05Z", observedGeneration: 1}
  - {type: Issued, status: "True", reason: Renewing, message: "", lastTransitionTime: "2026-01-02T03:04:05Z", observedGeneration: 1}
  - {type: Published, status: "True", reason: Published, message: "", lastTransitionTime: "2026-01-02T03:04:05Z", observedGeneration: 1}`,
	account: `
status:
  observedGeneration: 1
  projectID: 0f2b4d6e8a0c1e3f5a7b9d1c3e5f7a9b
  accessKeyID: HST3WQEXAMPLE
  lastCheckTime: "CHECKED"
  credentials: 12
  conditions:
  - {type: Ready, status: "True", reason: Valid, message: "", lastTransitionTime: "2026-01-02T03:04:05Z", observedGeneration: 1}`,
}

func TestKubectlGetShowsTheColumns(t *testing.T) {
	namespace := newNamespace(t, "columns")
	k := newKubectl(t)
	month := time.Now().Add(-30 * 24 * time.Hour).UTC().Format(time.RFC3339)
	for _, kind := range []string{credential, account, consent} {
		store(t, object(t, kind, namespace, strings.ReplaceAll(told[kind], "CHECKED", month)))
		store(t, object(t, kind, namespace, "metadata: {name: new}"))
		for view, flags := range map[string][]string{"": nil, "-wide": {"-o", "wide"}} {
			golden := filepath.Join("testdata", strings.ToLower(kind)+view+".txt")
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			got := k.run("", append([]string{"get", "-n", namespace, strings.ToLower(kind)}, flags...)...)
			if diff := cmp.Diff(string(want), withoutAge(got)); diff != "" {
				t.Errorf("kubectl get %s %v differs from %s (-want +got):\n%s\n%s", kind, flags, golden, diff, got)
			}
		}
	}
}

// withoutAge replaces the ages, which are seconds, by 0s, and takes the blanks from the ends of lines.
func withoutAge(table string) string {
	lines := strings.Split(table, "\n")
	at := strings.Index(lines[0], "AGE")
	for i, line := range lines {
		if i > 0 && at > 0 && len(line) > at {
			rest := line[at:]
			age := strings.IndexByte(rest+" ", ' ')
			line = line[:at] + "0s" + strings.Repeat(" ", age-len("0s")) + rest[age:]
		}
		lines[i] = strings.TrimRight(line, " ")
	}
	return strings.Join(lines, "\n")
}

// kubectl looks for categories before it looks for resources: a category that were
// spelled like the plural would make "kubectl delete clustercredentials --all" delete
// the accounts too.
func TestKubectlKnowsTheNames(t *testing.T) {
	namespace := newNamespace(t, "short-names")
	k := newKubectl(t)
	for _, kind := range []string{credential, account, consent} {
		store(t, object(t, kind, namespace, ""))
	}
	const (
		cg = "credentialgrant.clustercredential.dev/fleet\n"
		cc = "clustercredential.clustercredential.dev/prod-1\n"
		ca = "cloudaccount.clustercredential.dev/huawei-prod\n"
	)
	tests := map[string]struct{ args, want string }{
		"a short name":                       {"ccred", cc},
		"the other short name":               {"ccreds", cc},
		"the singular":                       {"clustercredential", cc},
		"a short name and an object":         {"ccred prod-1", cc},
		"the other short name and an object": {"ccreds prod-1", cc},
		"the singular and an object":         {"clustercredential prod-1", cc},
		"the plural, a slash and an object":  {"clustercredentials/prod-1", cc},
		"the plural with the group":          {"clustercredentials.clustercredential.dev prod-1", cc},
		"the singular of an account":         {"cloudaccount huawei-prod", ca},
		"the plural of an account":           {"cloudaccounts", ca},
		"the plural of a grant":              {"credentialgrants", cg},
		"the plural":                         {"clustercredentials", cc},
		"the plural and an object":           {"clustercredentials prod-1", cc},
		"the category":                       {"cluster-credentials", ca + cc + cg},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			k := k.in(t)
			got := k.run("", append([]string{"get", "-n", namespace, "-o", "name"}, strings.Fields(test.args)...)...)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("kubectl get %s (-want +got):\n%s", test.args, diff)
			}
		})
	}
}

func TestKubectlWaitDoesNotPassEarly(t *testing.T) {
	namespace := newNamespace(t, "waiting")
	k := newKubectl(t)
	wait := []string{"wait", "-n", namespace, "ccred/prod-1", "--for=condition=Ready", "--timeout=1s"}
	mustTimeOut := func(when string) {
		t.Helper()
		if out, err := k.try("", wait...); err == nil || !strings.Contains(out, "timed out") {
			t.Errorf("%s: kubectl wait: %v, want a time-out\n%s", when, err, out)
		}
	}

	k.run(toYAML(t, object(t, credential, namespace, "").Object), "apply", "-f", "-")
	mustTimeOut("nobody has looked at it")

	ready := told[credential]
	k.run("", "patch", "-n", namespace, "ccred", "prod-1", "--type=merge", "--subresource=status", "-p", ready)
	k.run("", wait...)

	k.run(toYAML(t, object(t, credential, namespace, "spec: {validity: {days: 7}}").Object), "apply", "-f", "-")
	mustTimeOut("the spec is newer than the status")
}

func TestKubectlExplains(t *testing.T) {
	k := newKubectl(t)
	for field, want := range map[string]string{
		"ccred.spec.validity.duration":           "at least 20m and at most 262800h",
		"ccred.spec.endpoint.access":             "access Auto (unset: this)",
		"ccred.spec.outputs":                     "Unset: one Secret <name>-kubeconfig",
		"credentialgrant.spec.to.formats":        "has to be named",
		"cloudaccount.spec.limits":               "Unset: 8",
		"cloudaccount.spec.auth.token.secretRef": "at most 253 characters",
	} {
		got := strings.Join(strings.Fields(k.run("", "explain", field)), " ")
		if !strings.Contains(got, want) {
			t.Errorf("kubectl explain %s does not say %q:\n%s", field, want, got)
		}
	}
}
