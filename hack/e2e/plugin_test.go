// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/stack"
)

// thePlugin is built once, by the first test that needs it.
var thePlugin struct {
	once sync.Once
	dir  string
	err  error
}

// pluginDir is a directory with nothing but the plugin, for PATH.
func pluginDir(t *testing.T) string {
	t.Helper()
	theSuite(t)
	thePlugin.once.Do(func() {
		thePlugin.dir = filepath.Join(suite.dir, "plugin")
		cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -X main.version=v0-e2e",
			"-o", filepath.Join(thePlugin.dir, "kubectl-clustercredential"), "../../cmd/kubectl-clustercredential")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			thePlugin.err = fmt.Errorf("building the plugin: %w\n%s", err, out)
		}
	})
	if thePlugin.err != nil {
		t.Fatal(thePlugin.err)
	}
	return thePlugin.dir
}

// plugin is somebody who uses the plugin.
type plugin struct {
	t          *testing.T
	dir        string
	kubeconfig string
	env        []string
}

// plugin is the administrator, in the namespace of the world where no -n says otherwise.
func (w *world) plugin() *plugin {
	w.t.Helper()
	return w.pluginOf(w.Kube.Config())
}

func (w *world) pluginOf(user *rest.Config) *plugin {
	w.t.Helper()
	text, err := w.Kube.Kubeconfig(user)
	w.must(err)
	config, err := clientcmd.Load(text)
	w.must(err)
	config.Contexts[config.CurrentContext].Namespace = w.namespace
	file := filepath.Join(w.t.TempDir(), "hub.kubeconfig")
	w.must(clientcmd.WriteToFile(*config, file))
	return &plugin{t: w.t, dir: pluginDir(w.t), kubeconfig: file}
}

// answer is what came of one command.
type answer struct {
	out, err string
	code     int
}

func (a answer) String() string { return fmt.Sprintf("exit code %d\n%s%s", a.code, a.out, a.err) }

// run runs the plugin, and takes any exit code.
func (p *plugin) run(args ...string) answer {
	p.t.Helper()
	return p.exec(filepath.Join(p.dir, "kubectl-clustercredential"), "", args...)
}

func (p *plugin) exec(program, input string, args ...string) answer {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(append(os.Environ(),
		"KUBECONFIG="+p.kubeconfig, "KUBECTL_KUBERC=false", "NO_COLOR=", "COLUMNS=",
		"PATH="+p.dir+string(os.PathListSeparator)+os.Getenv("PATH")), p.env...)
	var out, err bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &out, &err
	failed := cmd.Run()
	if exit, ended := errors.AsType[*exec.ExitError](failed); failed != nil && (!ended || exit.ExitCode() < 0) {
		p.t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), failed, err.String())
	}
	return answer{out: out.String(), err: err.String(), code: cmd.ProcessState.ExitCode()}
}

// want runs the plugin, and fails where the exit code is another, or something is not said.
func (p *plugin) want(code int, says []string, args ...string) answer {
	p.t.Helper()
	a := p.run(args...)
	if a.code != code {
		p.t.Errorf("%s: want exit code %d, got %s", strings.Join(args, " "), code, a)
	}
	for _, text := range says {
		if !strings.Contains(a.out+a.err, text) {
			p.t.Errorf("%s does not say %q:\n%s", strings.Join(args, " "), text, a)
		}
	}
	return a
}

// As the page tells it: the plugin is on the PATH, and kubectl finds it.
func TestKubectlFindsThePlugin(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"one", "two"}})
	w.startManager()
	w.apply(accountYAML(), credentialYAML("one", "one", "  verification: Disabled"), credentialYAML("two", "two", "  suspend: true"))
	w.waitReady("one")
	w.eventually(eventTime, func() error { return w.says("two", v1alpha1.ConditionIssued, "True", v1alpha1.ReasonSuspended) })
	p := w.plugin()
	kubectl := filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl")

	table := p.exec(kubectl, "", "clustercredential", "list")
	if table.code != 0 {
		t.Fatal(table)
	}
	for _, want := range []string{"NAME", "LEFT", "RENEWS", "one", "29d", "in 19d", "two", "suspended"} {
		if !strings.Contains(table.out, want) {
			t.Errorf("list does not show %q:\n%s", want, table.out)
		}
	}
	if strings.Contains(table.out, "\x1b") {
		t.Errorf("there are colours in what is no terminal:\n%q", table.out)
	}
	if a := p.exec(kubectl, "", "clustercredential", "verify", "two"); a.code != 1 || !strings.Contains(a.err, "two-kubeconfig does not exist") {
		t.Errorf("the exit code or the reason is lost on the way through kubectl: %s", a)
	}
	if a := p.exec(kubectl, "", "clustercredential", "version"); a.out != "v0-e2e\n" {
		t.Errorf("version says %q", a.out)
	}

	p.env = []string{"CLICOLOR_FORCE=1"}
	p.want(0, []string{"\x1b[32mTrue\x1b[0m"}, "list")
	p.env = []string{"CLICOLOR_FORCE=1", "NO_COLOR=1"}
	if a := p.run("list"); strings.Contains(a.out, "\x1b") {
		t.Errorf("NO_COLOR is not honoured: %q", a.out)
	}
	p.env = nil
	p.want(0, []string{w.namespace, "SERIAL", w.serial("one")}, "list", "-A", "-o", "wide", "--sort-by=expiry")
	p.want(0, []string{"one\n", "two\n", ":4"}, "__complete", "why", "")
	if a := p.completer().exec(kubectl, "", "__complete", "clustercredential", "why", ""); a.code != 0 || !strings.Contains(a.out, "one\ntwo\n") {
		t.Errorf("kubectl does not complete names as the page says: %s", a)
	}
	p.want(1, []string{"-n", "list -A"}, "why", "three")
	p.want(1, []string{"not the hub"}, "list", "--server", w.cloud.URL, "--insecure-skip-tls-verify")

	var list struct {
		Kind  string                       `json:"kind"`
		Items []v1alpha1.ClusterCredential `json:"items"`
	}
	w.must(json.Unmarshal([]byte(p.want(0, nil, "list", "-o", "json").out), &list))
	if list.Kind != "List" || len(list.Items) != 2 || list.Items[0].Status.Certificate.SerialNumber != w.serial("one") {
		t.Errorf("the list for programs is not one of the objects: %+v", list)
	}
}

// completer is somebody who has made the program for kubectl's completion, as the page says.
func (p *plugin) completer() *plugin {
	p.t.Helper()
	page, err := os.ReadFile("../../docs/kubectl.md")
	if err != nil {
		p.t.Fatal(err)
	}
	_, script, _ := strings.Cut(string(page), "<<'END'\n")
	script, _, found := strings.Cut(script, "END\n")
	if !found {
		p.t.Fatal("docs/kubectl.md has no program for completion")
	}
	dir := p.t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "kubectl_complete-clustercredential"), []byte(script), 0o700); err != nil {
		p.t.Fatal(err)
	}
	with := *p
	with.env = append(with.env, "PATH="+strings.Join([]string{dir, p.dir, os.Getenv("PATH")}, string(os.PathListSeparator)))
	return &with
}

// The decision that the plugin tells while no operator runs is the one that the operator then makes.
func TestWhyTellsWhatTheOperatorThenDoes(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"why"}})
	w.startManager()
	w.apply(accountYAML(), credentialYAML("why", "why"))
	w.waitReady("why")
	p := w.plugin()
	if got, want := p.why("why", 0).Decision.RenewalTime, w.get("why").Status.RenewalTime.UTC(); got == nil || !got.Equal(want) {
		t.Errorf("why tells the renewal time %v, the operator %s", got, want)
	}
	for _, change := range []struct {
		trigger v1alpha1.Trigger
		make    func()
		says    string
	}{
		{v1alpha1.TriggerMissing, func() { w.kubectl("delete", "secret", "why-kubeconfig") }, "no readable credential is left"},
		{v1alpha1.TriggerRequest, func() { w.requestRenewal("now", "why") }, "requested by annotation"},
		{v1alpha1.TriggerSpec, func() { w.apply(credentialYAML("why", "why", "  validity: {days: 7}")) }, "validity of 168h0m0s"},
	} {
		w.must(w.manager().Kill())
		change.make()
		said := p.why("why", 0)
		if said.Decision.Trigger != change.trigger || !said.Decision.Due || !strings.Contains(said.Verdict.Text, change.says) {
			t.Errorf("why says %+v, want %s due now, and %q", said, change.trigger, change.says)
		}
		before := w.get("why").Status.Certificate.SerialNumber
		w.startManager()
		w.eventually(eventTime, func() error {
			if cc := w.get("why"); cc.Status.Certificate.SerialNumber == before || cc.Status.History[0].Trigger != change.trigger {
				return fmt.Errorf("the operator has not asked for %s", change.trigger)
			}
			return nil
		})
	}

	w.apply(credentialYAML("why", "why", "  validity: {days: 7}", "  suspend: true"))
	w.eventually(eventTime, func() error { return w.says("why", v1alpha1.ConditionIssued, "True", v1alpha1.ReasonSuspended) })
	p.want(0, []string{"spec.suspend is true", "No certificate is due"}, "why", "why")

	w.apply(credentialOf("lost", theAccount, "{id: "+stack.ClusterID("why")+"}", "  endpoint: {context: customSAN-7}"))
	w.eventually(eventTime, func() error { return w.says("lost", v1alpha1.ConditionStalled, "True", v1alpha1.ReasonContextNotFound) })
	p.want(2, []string{"Nothing will change until somebody acts", "ContextNotFound"}, "why", "lost")
}

// whyAnswer is what the tests read of "why -o json".
type whyAnswer struct {
	Verdict struct {
		Reason  string `json:"reason"`
		Text    string `json:"text"`
		Stalled bool   `json:"stalled"`
	} `json:"verdict"`
	Decision struct {
		Trigger     v1alpha1.Trigger `json:"trigger"`
		Due         bool             `json:"due"`
		RenewalTime *time.Time       `json:"renewalTime"`
	} `json:"decision"`
}

func (p *plugin) why(name string, code int) whyAnswer {
	p.t.Helper()
	a := p.want(code, nil, "why", name, "-o", "json")
	var said whyAnswer
	if err := json.Unmarshal([]byte(a.out), &said); err != nil {
		p.t.Fatalf("%v in %s", err, a)
	}
	return said
}
