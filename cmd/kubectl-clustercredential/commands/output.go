// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package commands

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/duration"
	"sigs.k8s.io/yaml"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// Formats for programs.
const (
	formatJSON = "json"
	formatYAML = "yaml"
)

func oneOf(flag, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	names := slices.DeleteFunc(slices.Clone(allowed), func(name string) bool { return name == "" })
	return fmt.Errorf("%s is %q, and may be %s", flag, value, strings.Join(names, ", "))
}

// print writes a value for programs.
func (h *hub) print(format string, value any) error {
	text, err := json.MarshalIndent(value, "", "    ") // as kubectl does
	if err == nil && format == formatYAML {
		text, err = yaml.JSONToYAML(text)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(h.Out, strings.TrimSuffix(string(text), "\n"))
	return err
}

// listOf is a List as kubectl prints it: the objects as they are, without managed fields.
func listOf(objects []unstructured.Unstructured) map[string]any {
	items := make([]any, len(objects))
	for i := range objects {
		objects[i].SetManagedFields(nil)
		items[i] = objects[i].Object
	}
	return map[string]any{"apiVersion": "v1", "kind": "List", "metadata": map[string]any{"resourceVersion": ""}, "items": items}
}

func condition(cc *v1alpha1.ClusterCredential, kind string) *metav1.Condition {
	return meta.FindStatusCondition(cc.Status.Conditions, kind)
}

func span(d time.Duration) string { return duration.HumanDuration(d) }

func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339) }

// when is a time and how far away it is.
func when(at, now time.Time) string {
	if at.After(now) {
		return fmt.Sprintf("%s (in %s)", stamp(at), span(at.Sub(now)))
	}
	return fmt.Sprintf("%s (%s ago)", stamp(at), span(now.Sub(at)))
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
