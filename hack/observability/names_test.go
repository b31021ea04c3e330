// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package observability

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/clustercredential/operator/controllers"
)

// foreign are metrics of the libraries below the operator, with labels that are asked for. TestMetricsAreForThoseWhoMaySeeThem
// (hack/e2e) finds them at a running one.
var foreign = map[string][]string{
	"controller_runtime_max_concurrent_reconciles": {"controller"},
	"controller_runtime_reconcile_total":           {"controller", "result"},
	"rest_client_requests_total":                   {"method", "code", "instance"},
	"workqueue_depth":                              {"name"},
	"process_resident_memory_bytes":                {"instance"}, // which Prometheus adds
}

// known is a Registerer that notes names and labels of what is registered.
type known map[string][]string

var description = regexp.MustCompile(`fqName: "(\w+)".*variableLabels: \{([^}]*)\}`)

func (k known) Register(c prometheus.Collector) error {
	descriptions := make(chan *prometheus.Desc)
	go func() {
		c.Describe(descriptions)
		close(descriptions)
	}()
	for desc := range descriptions {
		match := description.FindStringSubmatch(desc.String())
		k[match[1]] = append(strings.Split(match[2], ","), "le")
	}
	return nil
}

func (k known) MustRegister(all ...prometheus.Collector) {
	for _, c := range all {
		_ = k.Register(c)
	}
}

func (known) Unregister(prometheus.Collector) bool { return false }

// operator are the metrics that may be asked for: its own, those of libraries, and those that rules record.
func operator(t *testing.T) known {
	t.Helper()
	k := known{}
	metrics, err := controllers.NewMetrics(k)
	if err != nil {
		t.Fatal(err)
	}
	k.MustRegister(metrics.Objects()...)
	if len(k) < 10 {
		t.Fatalf("the operator has %d metrics: %v", len(k), k)
	}
	maps.Copy(k, foreign)
	for _, r := range rules(t) {
		if r.Record != "" {
			k[r.Record] = []string{"namespace", "name", "account_kind", "account_namespace", "account"}
		}
	}
	return k
}

var (
	// metric is a name in an expression; what is in quotes or after "by" is none of these.
	metric = regexp.MustCompile(`\b(clustercredential[_:][a-z_:]+|controller_runtime_\w+|workqueue_\w+|process_\w+|rest_client_\w+|go_\w+)(?:\{([^}]*)\})?`)
	label  = regexp.MustCompile(`(\w+)\s*(?:=~|!~|!=|=)\s*"`)
	suffix = regexp.MustCompile(`_(bucket|sum|count)$`)
	// grouping are the labels that an expression keeps or joins by.
	grouping = regexp.MustCompile(`\b(?:by|on|group_left)\s*\(([^)]*)\)`)
	word     = regexp.MustCompile(`\w+`)
)

// check says what is wrong with the names of an expression.
func (k known) check(t *testing.T, where, expr string) {
	t.Helper()
	found := metric.FindAllStringSubmatch(expr, -1)
	if len(found) == 0 {
		t.Errorf("%s asks for no metric of ours: %s", where, expr)
	}
	var all []string
	for _, match := range found {
		labels, is := k[match[1]]
		if !is {
			labels, is = k[suffix.ReplaceAllString(match[1], "")]
		}
		if !is {
			t.Errorf("%s asks for %s, which the operator does not have", where, match[1])
			continue
		}
		all = append(all, labels...)
		for _, l := range label.FindAllStringSubmatch(match[2], -1) {
			if !slices.Contains(labels, l[1]) {
				t.Errorf("%s asks for the label %s of %s, which has %v", where, l[1], match[1], labels)
			}
		}
	}
	for _, match := range grouping.FindAllStringSubmatch(expr, -1) {
		for _, l := range word.FindAllString(match[1], -1) {
			if !slices.Contains(all, l) {
				t.Errorf("%s groups or joins by the label %s, which none of its metrics has", where, l)
			}
		}
	}
}

func TestEveryMetricOfARuleExists(t *testing.T) {
	k := operator(t)
	for _, r := range rules(t) {
		k.check(t, r.Record+r.Alert, r.Expr)
	}
}

func TestEveryMetricOfADashboardExists(t *testing.T) {
	k := operator(t)
	for file, d := range dashboards(t) {
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				k.check(t, file+": "+p.Title, target.Expr)
			}
		}
	}
}

// The reasons that a rule or a dashboard asks for are constants of the API.
func TestEveryReasonThatIsAskedForExists(t *testing.T) {
	constants := string(read(t, "api/v1alpha1/conditions.go"))
	reason := regexp.MustCompile(`reason=~?"([\w|]+)"`)
	asked := 0
	exprs := []string{}
	for _, r := range rules(t) {
		exprs = append(exprs, r.Expr)
	}
	for _, d := range dashboards(t) {
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				exprs = append(exprs, target.Expr)
			}
		}
	}
	for _, match := range reason.FindAllStringSubmatch(strings.Join(exprs, "\n"), -1) {
		for name := range strings.SplitSeq(match[1], "|") {
			asked++
			if !strings.Contains(constants, `Reason = "`+name+`"`) {
				t.Errorf("the reason %s does not exist", name)
			}
		}
	}
	if asked == 0 {
		t.Error("no reason was found")
	}
}
