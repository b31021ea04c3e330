// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/clustercredential/operator/hack/rendered"
	"github.com/clustercredential/operator/hack/stack"
)

// route says how a page is followed.
type route struct {
	page string
	// replace are texts of the page and what stands there in this world, in turn.
	replace []string
	// skip are commands that are not run, by how they begin, and why. "## A heading" stands for all below it.
	skip map[string]string
	// prints is what commands print that begin like this.
	prints map[string]string
	// exits are the codes of commands that do not end with 0.
	exits map[string]int
	// before and after are what happens beside the page, before and after a command that begins like this.
	before, after map[string]func(*reader)
	// stays are commands that go on until somebody ends them, and what says that they work.
	stays map[string]func(*reader) error
	// otherKinds is for pages with objects of kinds that this API server does not know.
	otherKinds bool
}

// reader follows pages in a checkout, as somebody at a shell does: what one command sets, the next one has.
type reader struct {
	t       *testing.T
	w       *world // nil: no cluster is needed
	dir     string
	path    string // of the shell
	state   string // file with the variables and the folder of the shell
	route   route
	replace *strings.Replacer
	used    map[string]bool
}

// commandTime bounds a command of a page.
const commandTime = 90 * time.Second

// newReader makes a checkout. What is written there does not reach the repository, but for what make builds in bin.
func newReader(t *testing.T, w *world, programs ...string) *reader {
	t.Helper()
	root, err := rendered.Root()
	must(t, err)
	dir, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err)
	own := filepath.Join(dir, "own")
	checkout := filepath.Join(dir, "checkout")
	home := filepath.Join(own, "home")
	must(t, os.MkdirAll(home, 0o700))
	must(t, os.CopyFS(filepath.Join(checkout, "config"), os.DirFS(filepath.Join(root, "config"))))
	for _, name := range []string{"Makefile", "bin", "hack", "go.mod", "go.sum", "cmd", "api", "controllers"} {
		must(t, os.Symlink(filepath.Join(root, name), filepath.Join(checkout, name)))
	}
	for _, program := range programs {
		path, err := rendered.Tool(t.Context(), program)
		must(t, err)
		as := program
		if program == "helm4" {
			as = "helm"
		}
		must(t, os.Symlink(path, filepath.Join(own, as)))
	}
	if w != nil {
		own += ":" + pluginDir(t)
	}
	return &reader{
		t: t, w: w, dir: checkout, state: filepath.Join(home, "state"),
		path: filepath.Join(home, ".local", "bin") + ":" + own + ":" + os.Getenv("KUBEBUILDER_ASSETS") + ":" + os.Getenv("PATH"),
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// follow does what a page says, from its first block to the last.
func (r *reader) follow(o route) {
	r.t.Helper()
	r.route, r.used, r.replace = o, map[string]bool{}, strings.NewReplacer(o.replace...)
	must(r.t, os.WriteFile(r.state, []byte("cd "+r.dir+"\n"), 0o600)) // a shell of its own for each page
	for _, b := range readBlocks(r.t, o.page) {
		r.notice(b.text)
		for _, c := range b.inline {
			r.do(c)
		}
		switch {
		case b.isCode():
			for _, c := range b.commands() {
				r.do(c)
			}
		case b.file() != "":
			path := filepath.Join(r.dir, b.file())
			must(r.t, os.MkdirAll(filepath.Dir(path), 0o700))
			must(r.t, os.WriteFile(path, []byte(r.replace.Replace(b.text)), 0o600))
		case b.isObject() && !o.otherKinds:
			r.wantTaken(b)
		}
	}
	r.wantAllUsed()
}

// do runs one command, with what happens before and after it.
func (r *reader) do(c command) {
	r.t.Helper()
	if r.skips("## "+c.section) || r.skips(c.text) {
		return
	}
	for _, happens := range happening(r, r.route.before, "before", c) {
		happens(r)
	}
	said := ""
	if works := happening(r, r.route.stays, "stays", c); len(works) > 0 {
		r.start(c, works[0])
	} else {
		said = r.run(c)
	}
	if want, found := r.wantOf(c); found && !strings.Contains(said, want) {
		r.t.Errorf("%s:%d: %s\ndoes not print %q, but:\n%s", r.route.page, c.line, c.text, want, said)
	} else if !found && strings.Contains(said, "No resources found") {
		r.t.Errorf("%s:%d: %s\nfinds nothing", r.route.page, c.line, c.text)
	}
	for _, happens := range happening(r, r.route.after, "after", c) {
		happens(r)
	}
}

// run runs a command to its end; it must succeed.
func (r *reader) run(c command) string {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), commandTime)
	defer cancel()
	begin := time.Now()
	cmd := r.shell(ctx, c)
	out, err := cmd.CombinedOutput()
	said := strings.ReplaceAll(string(out), canarySecretKey, "…")
	want := 0
	for _, code := range happening(r, r.route.exits, "exits", c) {
		want = code
	}
	if got := cmd.ProcessState.ExitCode(); got != want {
		r.t.Fatalf("%s:%d: %s\nends with %d, not with %d (%v)\n%s", r.route.page, c.line, c.text, got, want, err, said)
	}
	r.t.Logf("%s:%d: %s (%s)", r.route.page, c.line, c.text, time.Since(begin).Round(time.Millisecond))
	return said
}

// shell is a command in the reader's shell.
func (r *reader) shell(ctx context.Context, c command) *exec.Cmd {
	script := "set -euo pipefail\nset -a; . " + r.state + "\n" +
		"trap '{ export -p; echo \"cd $PWD\"; } >" + r.state + "' EXIT\n" + r.replace.Replace(c.text) + "\n"
	cmd := exec.CommandContext(ctx, "bash", "-c", script)
	cmd.Env = append(withoutMake(os.Environ()), "PATH="+r.path, "HOME="+filepath.Dir(r.state),
		"GOPATH="+goEnv(r.t, "GOPATH"), "GOCACHE="+goEnv(r.t, "GOCACHE"), "GOMODCACHE="+goEnv(r.t, "GOMODCACHE"))
	if r.w != nil {
		cmd.Env = append(cmd.Env, "KUBECONFIG="+r.w.Kubeconfig)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	return cmd
}

// start runs a command until the test ends, and waits until it works.
func (r *reader) start(c command, works func(*reader) error) {
	r.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := r.shell(ctx, c)
	log, err := os.CreateTemp(filepath.Dir(r.state), "log")
	must(r.t, err)
	cmd.Stdout, cmd.Stderr = log, log
	must(r.t, cmd.Start())
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // it is killed in the end
		close(ended)
	}()
	r.t.Cleanup(func() {
		cancel()
		<-ended
		_ = log.Close()
	})
	for deadline := time.Now().Add(commandTime); ; time.Sleep(50 * time.Millisecond) {
		if err = works(r); err == nil {
			return
		}
		if time.Now().After(deadline) || isClosed(ended) {
			said, _ := os.ReadFile(log.Name())
			r.t.Fatalf("%s:%d: %s\n%v\n%s", r.route.page, c.line, c.text, err, said)
		}
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// wantTaken fails unless the API server takes the objects of a block.
func (r *reader) wantTaken(b block) {
	r.t.Helper()
	if _, err := r.w.KubectlInput(r.replace.Replace(b.text), "apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-f", "-"); err != nil {
		r.t.Errorf("%s:%d: %v", r.route.page, b.line, err)
	}
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", name).Output()
	must(t, err)
	return strings.TrimSpace(string(out))
}

// The placeholders of the pages for the key of the cloud, and what the world's cloud takes for it.
func theKey() []string {
	return []string{"YOUR-ACCESS-KEY-ID", stack.AccessKey, "YOUR-SECRET-ACCESS-KEY", canarySecretKey}
}
