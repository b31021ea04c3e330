// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/clustercredential/operator/hack/stack"
)

// Somebody reads the pages, one after the other, and does on one hub whatever they say: installs for one namespace, then for all,
// operates, upgrades, and removes everything.
func TestTheCommandsOfThePagesRun(t *testing.T) {
	w := newWorld(t, options{suite: ownServers(t), clusters: []string{"prod-1"}})
	w.deleteCRDs() // nothing is there
	r := newReader(t, w, "kustomize")
	for _, o := range routes() {
		t.Log(o.page)
		r.follow(o)
	}
}

// routes are the pages in the order in which they are followed.
func routes() []route {
	return []route{
		securityRoute(), iamRoute(),
		{page: "docs/concepts.md", before: map[string]func(*reader){
			"now=": (*reader).anew, "kubectl clustercredential renew": (*reader).anew,
		}},
		conditionsRoute(), pluginRoute(),
		{page: "docs/consumers.md", before: map[string]func(*reader){"kubectl get secret -n fleet prod-1-people": (*reader).people}},
		{page: "docs/api.md"}, operatingRoute(), gitopsRoute(), faqRoute(),
		{page: "config/helm/README.md", skip: map[string]string{"helm install": "no registry has the chart; TestCredentialsOutliveTheRelease installs it from here"}},
		contributingRoute(), upgradeRoute(), uninstallRoute(),
		{page: "docs/performance.md", skip: map[string]string{"make bench": "most of an hour", "make bench-micro": "minutes; the functions are tested, and each benchmark checks what it measures"}},
	}
}

// followed are the pages that other tests follow.
var followed = map[string]string{
	"README.md":            "TestTheReadmeLeadsToACredential",
	"docs/other-clouds.md": "TestThePageOnOtherCloudsLeadsToACredential",
	"docs/ccesim.md":       "TestTheCommandsOfTheSimulatorsPageRun",
	"docs/runbooks/*.md":   "TestRunbooksHeal",
}

var testNamed = regexp.MustCompile(`\bTest[A-Z]\w+`)

// A page with commands that nobody tries is found here.
func TestEveryPageWithCommandsIsFollowed(t *testing.T) {
	tests := testNames(t)
	var pages []string
	for _, o := range routes() {
		pages = append(pages, o.page)
		for key, reason := range o.skip {
			if name := testNamed.FindString(reason); name != "" && !slices.Contains(tests, name) {
				t.Errorf("%s: %q is left out for the sake of %s, which does not exist", o.page, key, name)
			}
		}
	}
	for _, page := range pagesWithCommands(t) {
		if slices.Contains(pages, page) {
			continue
		}
		test := ""
		for pattern, name := range followed {
			if matches, err := path.Match(pattern, page); err == nil && matches {
				test = name
			}
		}
		if test == "" {
			t.Errorf("%s has commands, and no test runs them: give it a route", page)
		} else if !slices.Contains(tests, test) {
			t.Errorf("%s is followed by %s, which does not exist", page, test)
		}
	}
}

// pagesWithCommands are those of people who use or build this.
func pagesWithCommands(t *testing.T) []string {
	t.Helper()
	var found []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md", "config/*/*.md"} {
		files, err := filepath.Glob(filepath.Join("../..", pattern))
		must(t, err)
		for _, file := range files {
			page, err := filepath.Rel("../..", file)
			must(t, err)
			if slices.ContainsFunc(readBlocks(t, page), block.hasCommands) {
				found = append(found, filepath.ToSlash(page))
			}
		}
	}
	if len(found) < 10 {
		t.Fatalf("only %v have commands", found)
	}
	return found
}

// testNames are the tests of this package.
func testNames(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	must(t, err)
	var names []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		must(t, err)
		for line := range strings.Lines(string(text)) {
			if name, isTest := strings.CutPrefix(line, "func Test"); isTest {
				name, _, _ = strings.Cut(name, "(")
				names = append(names, "Test"+name)
			}
		}
	}
	return names
}

// firstCredential applies what the README does.
func (r *reader) firstCredential() {
	r.t.Helper()
	w := r.w
	blocks := readBlocks(r.t, "README.md")
	i := slices.IndexFunc(blocks, func(b block) bool { return b.file() == "first.yaml" })
	if i < 0 {
		r.t.Fatal("the README has no first.yaml any more")
	}
	w.kubectlInput(inNamespace("fleet", keyYAML(theKeys, stack.AccessKey, canarySecretKey)))
	w.kubectlInput(blocks[i].text)
	w.kubectl("patch", "-n", "fleet", "cloudaccount/"+stack.AccountName, "--type=merge", "-p", `{"spec":{"limits":{"issuesPerMinute":1000000}}}`)
	w.kubectl("wait", "-n", "fleet", "clustercredential/prod-1", "--for=condition=Ready", "--timeout=28s")
}

// anew makes prod-1 once more, so that the pages need not wait: one request a minute is carried out.
func (r *reader) anew() {
	r.t.Helper()
	r.w.kubectl("delete", "-n", "fleet", "clustercredential/prod-1", "secret/prod-1-kubeconfig")
	r.firstCredential()
}

// people applies the sample that a page names.
func (r *reader) people() {
	r.t.Helper()
	_, err := r.w.Kubectl("apply", "-f", filepath.Join(r.dir, "config/samples/consumers/people.yaml"))
	must(r.t, err)
	r.w.kubectl("wait", "-n", "fleet", "clustercredential/prod-1-people", "--for=condition=Ready", "--timeout=28s")
}

// restart has a manager with the arguments of the Deployment that is there now.
func (r *reader) restart() {
	r.t.Helper()
	if len(r.w.managers) > 0 && r.w.manager().ExitCode() < 0 {
		r.w.endManager()
	}
	r.w.startAsInstalled()
}

// massChange makes more credentials, and changes all of them.
func (r *reader) massChange() {
	r.t.Helper()
	var all, names []string
	for i := range 8 {
		name := fmt.Sprintf("mass-%d", i)
		names = append(names, "clustercredential/"+name)
		all = append(all, credentialOf(name, stack.AccountName, "{name: prod-1}"))
	}
	r.w.kubectlInput(inNamespace("fleet", all...))
	r.w.kubectl(append([]string{"wait", "-n", "fleet", "--for=condition=Ready", "--timeout=28s"}, names...)...)
	for _, name := range names {
		r.w.kubectl("patch", "-n", "fleet", name, "--type=merge", "-p", `{"spec":{"validity":{"days":3}}}`)
	}
	r.w.eventually(eventTime, func() error {
		if out := r.w.kubectl("get", "events", "-n", "fleet", "--field-selector=reason=FleetHeld"); !strings.Contains(out, "mass-") {
			return fmt.Errorf("nothing is held: %s", out)
		}
		return nil
	})
}
