// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/clustercredential/operator/hack/realkube"
	"github.com/clustercredential/operator/hack/stack"
)

// sideBySide is how many tests run at a time: they mostly wait, so more than there are cores.
const sideBySide = "12"

// whole is for "make soak". Without it the dearest tests do a part of what they can, which each says.
var whole = flag.Bool("whole", false, "run every case of the sweeps, which takes twice as long")

func TestMain(m *testing.M) {
	flag.Parse()
	ctrl.SetLogger(logr.Discard()) // what the managers say is in their logs
	if !isSet("test.parallel") {
		if err := flag.Set("test.parallel", sideBySide); err != nil {
			panic(err)
		}
	}
	dir, err := os.MkdirTemp("", "e2e-")
	if err != nil {
		panic(err)
	}
	suite.dir = dir
	// It stops etcd and kube-apiserver on a signal and when time is up, too.
	code := realkube.Main(m, realkube.Options{})
	if suite.started != nil {
		problems := suite.started.finish(code == 0 && !isSet("test.run"))
		for _, problem := range problems {
			fmt.Fprintln(os.Stderr, "e2e:", problem)
			code = 1
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
	}
	os.Exit(code)
}

// isSet says whether the caller gave the flag.
func isSet(name string) bool {
	set := false
	flag.Visit(func(f *flag.Flag) { set = set || f.Name == name })
	return set
}

// suite is what the tests share. It starts with the first test that needs it.
var suite struct {
	dir     string
	once    sync.Once
	started *shared
	err     error
}

// shared is the API server with everything installed, and a cloud that is a process of its own.
type shared struct {
	*stack.Stack
	audit *auditLog
	roles *roles
}

func theSuite(t *testing.T) *shared {
	t.Helper()
	suite.once.Do(func() { suite.started, suite.err = startSuite(context.Background(), suite.dir, "") })
	if suite.err != nil {
		t.Fatal("e2e:", suite.err)
	}
	return suite.started
}

// ownSuite is for a test that does to a whole API server what would disturb the others.
func ownSuite(t *testing.T) *shared {
	t.Helper()
	s := ownServers(t)
	s.mustInstall(t, wholeCluster)
	return s
}

// ownServers are an API server and a cloud on which nothing is installed yet but the CRDs, those in crdDirs if there are: mustInstall
// does.
func ownServers(t *testing.T, crdDirs ...string) *shared {
	t.Helper()
	s, err := startServers(context.Background(), t.TempDir(), theSuite(t).BinDir(), crdDirs...)
	if err != nil {
		t.Fatal("e2e:", err)
	}
	t.Cleanup(func() {
		for _, problem := range s.finish(false) {
			t.Error("e2e:", problem)
		}
	})
	return s
}

// startSuite starts the servers and installs everything. binDir unset: the programs are built.
func startSuite(ctx context.Context, dir, binDir string) (*shared, error) {
	s, err := startServers(ctx, dir, binDir)
	if err != nil {
		return nil, err
	}
	if s.roles, err = install(ctx, s.Stack, wholeCluster); err != nil {
		_ = s.Stop()
		return nil, err
	}
	return s, nil
}

func (s *shared) mustInstall(t *testing.T, overlay string) {
	t.Helper()
	var err error
	if s.roles, err = install(t.Context(), s.Stack, overlay); err != nil {
		t.Fatal("e2e:", err)
	}
}

// startServers starts the servers, and installs nothing.
func startServers(ctx context.Context, dir, binDir string, crdDirs ...string) (*shared, error) {
	audit := filepath.Join(dir, "audit.log")
	s, err := stack.Start(ctx, stack.Options{
		Dir: dir, BinDir: binDir, Out: os.Stderr, Clusters: []string{"prod-1", "prod-2"},
		Kube: realkube.Options{
			AuditLog:    audit,
			CRDDirs:     crdDirs,
			Controllers: []string{realkube.GarbageCollector, realkube.NamespaceController},
			APIServerArgs: map[string][]string{
				"audit-log-maxsize":                       {"2000"}, // MB: one file for the whole suite
				"shutdown-watch-termination-grace-period": {"1s"},   // it can be stopped while managers watch
			},
		},
	})
	if err != nil {
		return nil, err
	}
	return &shared{Stack: s, audit: &auditLog{file: audit}, roles: &roles{}}, nil
}

// finish stops what is left of the suite, and says what is wrong with it as a whole.
func (s *shared) finish(everythingRan bool) []string {
	stopped := s.Stop() // so that the audit log is whole
	problems := s.roles.refused(s.audit)
	if everythingRan {
		problems = append(problems, s.roles.unused(s.audit)...)
	}
	if stopped != nil {
		problems = append(problems, stopped.Error())
	}
	return problems
}
