// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"strings"
)

// lastLines of each log are shown of a test that failed.
const lastLines = 60

// mostShown bounds each list, in bytes.
const mostShown = 60000

// explain shows what somebody needs who was not there: objects, events, ledger and logs.
func (w *world) explain() {
	for _, what := range []string{"cloudaccounts,clustercredentials", "events.events.k8s.io"} {
		format := "yaml"
		if strings.HasPrefix(what, "events") {
			format = "custom-columns=TIME:.eventTime,ABOUT:.regarding.name,TYPE:.type,REASON:.reason,NOTE:.note"
		}
		out, err := w.Kubectl("--namespace", w.namespace, "get", what, "--output", format)
		if err != nil {
			out = err.Error()
		}
		w.t.Logf("%s in %s:\n%s", what, w.namespace, out[:min(len(out), mostShown)])
	}
	if entries, err := w.cloud.Ledger(); err == nil {
		for _, e := range entries[max(0, len(entries)-lastLines):] {
			w.t.Logf("ledger: %+v", e)
		}
	}
	for _, m := range w.managers {
		lines := strings.Split(strings.TrimSpace(m.Log()), "\n")
		w.t.Logf("the end of the log of %s:\n%s", m.Name, strings.Join(lines[max(0, len(lines)-lastLines):], "\n"))
	}
}
