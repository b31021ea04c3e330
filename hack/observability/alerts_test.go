// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package observability

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const runbooks = "https://github.com/clustercredential/operator/blob/main/"

var capital = regexp.MustCompile(`([a-z])([A-Z])`)

// page is the runbook of an alert.
func page(alert string) string {
	return "docs/runbooks/" + strings.ToLower(capital.ReplaceAllString(alert, "$1-$2")) + ".md"
}

func TestEveryAlertSaysWhatItIsAndWhereToReadOn(t *testing.T) {
	for _, r := range rules(t) {
		if r.Alert == "" {
			continue
		}
		if class := r.Labels["severity"]; class != "page" && class != "ticket" {
			t.Errorf("%s has the severity %q", r.Alert, class)
		}
		for _, name := range []string{"summary", "description"} {
			if r.Annotations[name] == "" {
				t.Errorf("%s has no %s", r.Alert, name)
			}
		}
		if want := runbooks + page(r.Alert); r.Annotations["runbook_url"] != want {
			t.Errorf("%s names the runbook %s, want %s", r.Alert, r.Annotations["runbook_url"], want)
		}
	}
}

// pagesWithoutAlert are runbooks that nothing calls: somebody comes to them by themselves.
var pagesWithoutAlert = map[string]bool{"docs/runbooks/README.md": true, "docs/runbooks/leaked-kubeconfig.md": true}

func TestEveryAlertHasARunbookAndEveryRunbookAnAlert(t *testing.T) {
	index := string(read(t, "docs/runbooks/README.md"))
	called := map[string]bool{}
	for _, r := range rules(t) {
		if r.Alert == "" {
			continue
		}
		called[page(r.Alert)] = true
		if !strings.Contains(string(read(t, page(r.Alert))), r.Alert) {
			t.Errorf("%s does not name the alert %s", page(r.Alert), r.Alert)
		}
		if !strings.Contains(index, "["+r.Alert+"]("+filepath.Base(page(r.Alert))+")") {
			t.Errorf("the index of the runbooks does not lead to that of %s", r.Alert)
		}
	}
	files, err := os.ReadDir(filepath.Join(root, "docs/runbooks"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if path := "docs/runbooks/" + file.Name(); !called[path] && !pagesWithoutAlert[path] {
			t.Errorf("no alert leads to %s", path)
		}
	}
}

// Each alert is seen to fire: one that only ever stays silent in the tests would not be known to work.
func TestEveryAlertIsTried(t *testing.T) {
	tests, err := filepath.Glob(filepath.Join(root, "config/prometheus/tests/*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range tests {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	for _, r := range rules(t) {
		if r.Alert != "" && !strings.Contains(all.String(), `alertname="`+r.Alert+`"`) {
			t.Errorf("no test in config/prometheus/tests expects %s", r.Alert)
		}
	}
}

// An alert that an account's inhibits has the labels by which it does, and exists.
func TestWhatIsInhibitedExists(t *testing.T) {
	text := string(read(t, "config/prometheus/alertmanager-inhibit.yaml"))
	names := regexp.MustCompile(`"ClusterCredential\(([\w|]+)\)"`).FindStringSubmatch(text)
	if names == nil || !strings.Contains(text, "alertname = ClusterCredentialAccountNotReady") {
		t.Fatal("the example does not say who inhibits whom")
	}
	for name := range strings.SplitSeq(names[1], "|") {
		found := false
		for _, r := range rules(t) {
			if r.Alert == "ClusterCredential"+name {
				found = true
				if !strings.Contains(r.Expr, "group_left (account_kind, account_namespace, account)") {
					t.Errorf("%s has not the labels of its account", r.Alert)
				}
			}
		}
		if !found {
			t.Errorf("there is no alert ClusterCredential%s", name)
		}
	}
}
