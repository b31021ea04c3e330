// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/stack"
)

func TestKubectlApplyNamesTheWrongField(t *testing.T) {
	w := newWorld(t, options{})
	id := "{id: " + stack.ClusterID("x") + "}"
	type bad struct {
		name, document string
		want           []string // in the error
	}
	cases := []bad{
		{"id and name", credentialOf("x", "a", "{id: "+stack.ClusterID("x")+", name: other}"), []string{"spec.cluster", "exactly one of id"}},
		{"neither id nor name", credentialOf("x", "a", "{}"), []string{"spec.cluster", "exactly one of id"}},
		{"an id that is a path", credentialOf("x", "a", "{id: ../../v3/projects}"), []string{"spec.cluster.id", "UUID"}},
		{"an id in upper case", credentialOf("x", "a", "{id: "+strings.ToUpper(stack.ClusterID("x"))+"}"), []string{"spec.cluster.id", "UUID"}},
		{"no account", credentialOf("x", `""`, id), []string{"spec.accountRef.name"}},
		{"days and duration", credentialOf("x", "a", id, "  validity: {days: 3, duration: 6h}"), []string{"spec.validity", "exactly one of days"}},
		{"no days at all", credentialOf("x", "a", id, "  validity: {days: 0}"), []string{"spec.validity.days", "10950"}},
		{"a duration in days", credentialOf("x", "a", id, "  validity: {duration: 30d}"), []string{"spec.validity.duration", "days are not a unit"}},
		{"a duration too short", credentialOf("x", "a", id, "  validity: {duration: 19m}"), []string{"spec.validity.duration", "20m"}},
		{"a duration for Autopilot", credentialOf("x", "a", "{id: "+stack.ClusterID("x")+", type: Autopilot}", "  validity: {duration: 6h}"), []string{"spec.validity.duration", "validity.days"}},
		{"two kinds of before", credentialOf("x", "a", id, "  renewal: {before: 24h, beforePercent: 20}"), []string{"spec.renewal", "at most one"}},
		{"too many percent", credentialOf("x", "a", id, "  renewal: {beforePercent: 90}"), []string{"spec.renewal.beforePercent", "1 to 89"}},
		{"an access that does not exist", credentialOf("x", "a", id, "  endpoint: {access: Public}"), []string{"spec.endpoint.access", "External"}},
		{"a Secret's name that is none", credentialOf("x", "a", id, "  outputs: [{secretName: Prod_1}]"), []string{"spec.outputs[0].secretName", "lower-case"}},
		{"a label of ours", credentialOf("x", "a", id, `  outputs: [{secretName: x, labels: {clustercredential.dev/managed: "false"}}]`), []string{"spec.outputs[0].labels", "operator's own"}},
		{"a format that does not exist", credentialOf("x", "a", id, "  outputs: [{secretName: x, format: Yaml}]"), []string{"spec.outputs[0].format", "Kubeconfig"}},
		{"a field that does not exist", credentialOf("x", "a", id, "  suspended: true"), []string{"spec.suspended"}},
		{"a region that is a URL", strings.Replace(namedAccountYAML("x", "AK"), "region: "+stack.Region, "region: https://cce.example.com", 1), []string{"spec.region", "ap-southeast-3"}},
		{"a project's name for its id", strings.Replace(namedAccountYAML("x", "AK"), stack.ProjectID, "my-project", 1), []string{"spec.projectID", "32 lower-case hex"}},
		{"a limit of nothing", strings.Replace(namedAccountYAML("x", "AK"), "1000000", "0", 1), []string{"spec.limits.issuesPerMinute", "1 to 1000000"}},
	}
	for _, c := range cases {
		out, err := w.tryApply(c.document)
		if err == nil {
			t.Errorf("%s: kubectl apply took it: %s", c.name, out)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: the error does not say %q: %v", c.name, want, err)
			}
		}
	}
}

func TestWhatIsStoredSurvivesABadChange(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"safe"}})
	w.startManager()
	w.apply(accountYAML(), credentialYAML("safe", "safe"))
	w.waitReady("safe")
	before := w.secret("safe-kubeconfig")
	cases := []struct {
		name, document string
		refused        bool            // at kubectl apply
		reason         v1alpha1.Reason // else of Issued
		message        string
	}{
		{"a spec that kubectl apply refuses", credentialYAML("safe", "safe", "  validity: {days: 3, duration: 6h}"), true, "", ""},
		{"more days than the cloud grants", credentialYAML("safe", "safe", "  validity: {days: 5000}"), false, v1alpha1.ReasonRejected, "-1"},
		{"an account that is not there", credentialOf("safe", "missing", "{id: "+stack.ClusterID("safe")+"}"), false, v1alpha1.ReasonAccountNotFound, "missing"},
		{"a context that is not there", credentialYAML("safe", "safe", "  endpoint: {context: customSAN-7}"), false, v1alpha1.ReasonContextNotFound, "customSAN-7"},
		{"a cluster that is not there", credentialYAML("safe", "no-such-cluster"), false, v1alpha1.ReasonClusterNotFound, "project"},
	}
	for _, c := range cases {
		_, err := w.tryApply(c.document)
		if c.refused != (err != nil) {
			t.Errorf("%s: kubectl apply says %v", c.name, err)
		}
		if !c.refused {
			w.eventually(eventTime, func() error {
				if err := w.says("safe", v1alpha1.ConditionIssued, "False", c.reason); err != nil {
					return err
				}
				if message := condition(w.get("safe"), v1alpha1.ConditionIssued).Message; !strings.Contains(message, c.message) {
					return fmt.Errorf("%s: the message does not say %q: %s", c.name, c.message, message)
				}
				return nil
			})
		}
		after := w.secret("safe-kubeconfig")
		if after.UID != before.UID || string(after.Data["value"]) != string(before.Data["value"]) {
			t.Fatalf("%s: the stored Secret has changed", c.name)
		}
		// Back to what was good: it is Ready again, and no certificate is asked for.
		w.apply(credentialYAML("safe", "safe"))
		w.eventually(eventTime, func() error { return w.says("safe", v1alpha1.ConditionIssued, "True", v1alpha1.ReasonIssued) })
		w.eventually(eventTime, func() error { return w.says("safe", v1alpha1.ConditionReady, "True", v1alpha1.ReasonValid) })
		if after := w.secret("safe-kubeconfig"); string(after.Data["value"]) != string(before.Data["value"]) && c.reason != v1alpha1.ReasonContextNotFound {
			t.Fatalf("%s: the stored Secret has changed on the way back", c.name)
		}
	}
	if posts := w.posts("safe"); len(posts) > 3 {
		// The first one, one that the cloud refused for its days, and at most one to see whether the context is offered.
		t.Errorf("%d certificates were asked for, want at most 3: %+v", len(posts), posts)
	}
}
