// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package merge_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/clustercredential/operator/cmd/kubectl-clustercredential/merge"
)

func TestAFileNeedNotExistAndIsTheUsersAlone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "new", "config")
	if err := merge.File(t.Context(), file, entry("a"), merge.Options{SetCurrent: true}); err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.LoadFromFile(file)
	if err != nil || config.CurrentContext != "fleet-prod" {
		t.Fatalf("%+v %v", config, err)
	}
	if info, err := os.Stat(file); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("its mode is %v (%v)", info.Mode(), err)
	}
	left, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(left) != 1 {
		t.Errorf("something is left beside it: %v %v", left, err)
	}
}

func TestALinkStaysOneEvenIfItLeadsNowhereYet(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "config")
	if err := os.Symlink(filepath.Join("deep", "real"), link); err != nil {
		t.Skip(err)
	}
	if err := merge.File(t.Context(), link, entry("a"), merge.Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := clientcmd.LoadFromFile(filepath.Join(dir, "deep", "real")); err != nil {
		t.Error(err)
	}
	if to, err := os.Readlink(link); err != nil || to != filepath.Join("deep", "real") {
		t.Errorf("the link is %q: %v", to, err)
	}
	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(link, link); err != nil {
		t.Fatal(err)
	}
	if err := merge.File(t.Context(), link, entry("a"), merge.Options{}); err == nil {
		t.Error("a link to itself was followed")
	}
}

// As dotfiles are kept: the directory is a link, and so is the file in it, to its own neighbourhood.
func TestALinkUpwardsIsThatOfWhereItReallyLies(t *testing.T) {
	dir := t.TempDir()
	for _, folder := range []string{"home", "data/dot/kube"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"home/.kube": filepath.Join(dir, "data/dot/kube"), "data/dot/kube/config": "../secret/kube.conf"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Skip(err)
		}
	}
	if err := merge.File(t.Context(), filepath.Join(dir, "home/.kube/config"), entry("a"), merge.Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := clientcmd.LoadFromFile(filepath.Join(dir, "data/dot/secret/kube.conf")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "home/secret")); err == nil {
		t.Error("it was written beside the link")
	}
}

func TestAFileThatCannotBeReadStaysAsItIs(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	const text = "users: [{name: me, user: {token: canary-token}}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	err := merge.File(t.Context(), file, entry("a"), merge.Options{})
	if err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("got %v", err)
	}
	if left, _ := os.ReadFile(file); string(left) != text {
		t.Errorf("it has changed to %q", left)
	}
}

// What kubectl does with the file meanwhile is not lost.
func TestTheFileIsLockedAsKubectlLocksIt(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	rules := &clientcmd.PathOptions{GlobalFile: file, LoadingRules: &clientcmd.ClientConfigLoadingRules{ExplicitPath: file}}
	if err := clientcmd.WriteToFile(*api.NewConfig(), file); err != nil {
		t.Fatal(err)
	}
	ours := entry("a")
	var all sync.WaitGroup
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		mine := ours
		mine.Name = name
		all.Go(func() {
			if err := merge.File(t.Context(), file, mine, merge.Options{}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	held := file + ".lock" // as client-go names it
	if err := os.WriteFile(held, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := clientcmd.ModifyConfig(rules, *api.NewConfig(), false); !errors.Is(err, os.ErrExist) {
		t.Fatalf("client-go does not look at %s: %v", held, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := merge.File(ctx, file, ours, merge.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a lock that is held is not waited for: %v", err)
	}
	config, err := clientcmd.LoadFromFile(file)
	if err != nil || len(config.Contexts) != 5 {
		t.Errorf("of five that wrote at a time %d are left: %v", len(config.Contexts), err)
	}
}

func TestANewFileReplacesNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	for _, step := range []struct {
		overwrite bool
		fails     bool
	}{{false, false}, {false, true}, {true, false}} {
		if err := merge.Write(file, []byte("x"), step.overwrite); (err != nil) != step.fails {
			t.Errorf("overwrite %t: %v", step.overwrite, err)
		}
	}
}
