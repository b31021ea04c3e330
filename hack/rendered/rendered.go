// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package rendered

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// Name is what the chart is called, what a release of it is called here, and what config calls everything. Namespace is
// where config installs it.
const (
	Name      = "clustercredential-operator"
	Namespace = "clustercredential-system"
)

const module = "module github.com/clustercredential/operator\n"

// Root finds the root of this repository, from the working directory upwards. Modules below it have other names.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if text, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil && strings.HasPrefix(string(text), module) {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("run this inside the repository")
		}
		dir = parent
	}
}

// Tool is the path of a program in bin/. If it is not there, make builds it.
func Tool(ctx context.Context, name string) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	path := filepath.Join(root, "bin", name)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	cmd := exec.CommandContext(ctx, "make", "--no-print-directory", "-C", root, "bin/"+name)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building bin/%s: %w\n%s", name, err, out)
	}
	return path, nil
}

// Folder is that of the chart.
func Folder() (string, error) {
	root, err := Root()
	return filepath.Join(root, "config", "helm"), err
}

// Chart is what Helm 4 renders with more arguments, such as --values=FILE.
func Chart(ctx context.Context, args ...string) ([]byte, error) { return Release(ctx, Name, args...) }

// Release is Chart with another name of the release.
func Release(ctx context.Context, name string, args ...string) ([]byte, error) {
	helm, err := Tool(ctx, "helm4")
	if err != nil {
		return nil, err
	}
	folder, err := Folder()
	if err != nil {
		return nil, err
	}
	if err := look(folder); err != nil {
		return nil, err
	}
	return run(ctx, helm, append([]string{"template", name, folder, "--namespace", Namespace}, args...)...)
}

// Kustomize is what kustomize builds of a directory of config, such as "default".
func Kustomize(ctx context.Context, directory string) ([]byte, error) {
	kustomize, err := Tool(ctx, "kustomize")
	if err != nil {
		return nil, err
	}
	root, err := Root()
	if err != nil {
		return nil, err
	}
	config := filepath.Join(root, "config")
	if err := look(config); err != nil {
		return nil, err
	}
	return run(ctx, kustomize, "build", filepath.Join(config, directory))
}

func run(ctx context.Context, program string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s", filepath.Base(program), strings.Join(args, " "), err, said.String())
	}
	return out.Bytes(), nil
}

// look opens every file of a folder. What a program reads that a test starts go does not see, and it would take the test's
// last result for today's.
func look(folder string) error {
	return filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		_, err = os.ReadFile(path) //nolint:gosec // a file of this repository
		return err
	})
}

// Objects reads the documents of a text.
func Objects(text []byte) ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	for {
		object := &unstructured.Unstructured{}
		if err := decoder.Decode(object); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		if len(object.Object) > 0 { // comments alone are no object
			all = append(all, object)
		}
	}
}
