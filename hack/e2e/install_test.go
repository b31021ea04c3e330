// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clustercredential/operator/hack/rendered"
)

// makeTime bounds one target of make.
const makeTime = 2 * time.Minute

// The file that "make build-installer" writes is config/default with the image, and a cluster takes it. What people keep beside
// it survives "make undeploy".
func TestTheInstallerIsConfigWithTheImageAndLeavesWhatIsNotItsOwn(t *testing.T) {
	w := newWorld(t, options{suite: ownServers(t), clusters: []string{"prod"}})
	const name, digest = "registry.example.com/team/operator", "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	dir := w.copyOfConfig()
	w.make(dir, "build-installer", "IMG="+name+"@"+digest)
	installer := filepath.Join(dir, "dist", "install.yaml")

	overlay := filepath.Join(dir, "overlay")
	w.must(os.Mkdir(overlay, 0o700))
	w.must(os.WriteFile(filepath.Join(overlay, "kustomization.yaml"),
		[]byte("resources: [../config/default]\nimages: [{name: controller, newName: "+name+", digest: '"+digest+"'}]\n"), 0o600))
	text, err := os.ReadFile(installer)
	w.must(err)
	if diff := cmp.Diff(w.objects([]byte(w.kubectl("kustomize", overlay))), w.objects(text)); diff != "" {
		t.Errorf("config/default with the image (-) and dist/install.yaml (+):\n%s", diff)
	}

	_, err = w.Kubectl("apply", "--server-side", "--force-conflicts", "-f", installer)
	w.must(err)
	w.roles, err = logIn(t.Context(), w.Stack)
	w.must(err)
	w.startManager()
	w.apply(accountYAML(), credentialYAML("prod", "prod"))
	w.waitReady("prod")
	before := w.secret("prod-kubeconfig")
	w.kubectlInput(inNamespace(systemNamespace, keyYAML("theirs", "theirs", canarySecretKey)))
	w.endManager()

	said := w.make(dir, "undeploy", "IMG="+name+"@"+digest)
	if !strings.Contains(said, "delete namespace "+systemNamespace) {
		t.Errorf("it does not say that the namespace is left: %s", said)
	}
	w.kubectl("get", "secret", "-n", systemNamespace, "theirs")
	w.must(w.holdsTheSame(before))
	left := w.kubectl("get", "customresourcedefinitions,clusterroles,clusterrolebindings,roles,rolebindings,deployments,services,serviceaccounts",
		"-A", "-o", "name", "-l", "app.kubernetes.io/name="+rendered.Name)
	if strings.TrimSpace(left) != "" {
		t.Errorf("make undeploy has left %s", left)
	}
}

// copyOfConfig is a folder in which make works as in the repository, without writing there.
func (w *world) copyOfConfig() string {
	w.t.Helper()
	_, err := rendered.Tool(w.t.Context(), "kustomize")
	w.must(err)
	root, err := rendered.Root()
	w.must(err)
	dir, err := filepath.EvalSymlinks(w.t.TempDir())
	w.must(err)
	w.must(os.CopyFS(filepath.Join(dir, "config"), os.DirFS(filepath.Join(root, "config"))))
	for _, name := range []string{"Makefile", "bin", "hack"} {
		w.must(os.Symlink(filepath.Join(root, name), filepath.Join(dir, name)))
	}
	return dir
}

// make runs a target as the administrator, and returns what it prints.
func (w *world) make(dir string, args ...string) string {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), makeTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, "make", append([]string{"-C", dir, "--no-print-directory"}, args...)...)
	cmd.Env = append(withoutMake(os.Environ()), "KUBECONFIG="+w.Kubeconfig, "PATH="+os.Getenv("KUBEBUILDER_ASSETS")+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		w.t.Fatalf("make %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// withoutMake is an environment without the variables of a make that runs this.
func withoutMake(environment []string) []string {
	return slices.DeleteFunc(environment, func(variable string) bool {
		return strings.HasPrefix(variable, "MAKE") || strings.HasPrefix(variable, "MFLAGS")
	})
}

// objects are those of a text by kind and name.
func (w *world) objects(text []byte) map[string]map[string]any {
	w.t.Helper()
	all, err := rendered.Objects(text)
	w.must(err)
	found := map[string]map[string]any{}
	for _, o := range all {
		found[o.GetKind()+" "+o.GetNamespace()+"/"+o.GetName()] = o.Object
	}
	if len(found) != len(all) || len(all) < 10 {
		w.t.Fatalf("%d objects, %d of them different", len(all), len(found))
	}
	return found
}
