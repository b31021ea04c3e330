// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"

	"k8s.io/apimachinery/pkg/types"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/output"
	"github.com/clustercredential/operator/controllers/target"
)

// slot is an output of the spec with its Secret.
type slot struct {
	// index is its place in spec.outputs.
	index int
	// output has its defaults filled in.
	output v1alpha1.Output
	key    types.NamespacedName
	// home is the namespace of the ClusterCredential.
	home  string
	facts secretFacts
	// view is the Secret itself, where this pass has read it.
	view *secretView
	// adoption is set where it is somebody else's, and the output takes it over or would.
	adoption *adoption
}

// slotsOf are the outputs of an object, the primary one first; there is always one.
func slotsOf(cc *v1alpha1.ClusterCredential) []slot {
	keys := keysOf(cc)
	slots := make([]slot, len(keys))
	for i, key := range keys {
		slots[i] = slot{index: i, output: outputAt(cc, i), key: key, home: cc.Namespace}
	}
	return slots
}

// outputAt is an output of an object with its defaults filled in.
func outputAt(cc *v1alpha1.ClusterCredential, i int) v1alpha1.Output {
	o := v1alpha1.Output{SecretName: cc.Name + v1alpha1.DefaultSecretSuffix}
	if len(cc.Spec.Outputs) > 0 {
		o = cc.Spec.Outputs[i]
	}
	o.Format = firstOf(o.Format, v1alpha1.FormatKubeconfig)
	if i == 0 {
		o.Namespace = "" // the credential lives at home, whatever an older CRD let through
	}
	return o
}

// keysOf are the Secrets of the outputs.
func keysOf(cc *v1alpha1.ClusterCredential) []types.NamespacedName {
	keys := make([]types.NamespacedName, max(1, len(cc.Spec.Outputs)))
	for i := range keys {
		o := outputAt(cc, i)
		keys[i] = types.NamespacedName{Namespace: firstOf(o.Namespace, cc.Namespace), Name: o.SecretName}
	}
	return keys
}

// isAway says whether the Secret is in another namespace than the ClusterCredential.
func (s *slot) isAway() bool { return s.key.Namespace != s.home }

// field names a field of the output for messages.
func (s *slot) field(name string) string { return fmt.Sprintf("spec.outputs[%d].%s", s.index, name) }

// see takes over what was read of the Secret. What is not ours holds nothing for us.
func (s *slot) see(view secretView) {
	if view.facts.standing == target.Foreign || view.facts.standing == target.Others {
		view.facts.stored = nil
		if view.facts.standing == target.Foreign {
			view.credential = nil
		}
	}
	s.view, s.facts, s.adoption = &view, view.facts, view.adoption
}

// typeProblem says that the Secret has another type than the output asks for; nil: it has not. Kubernetes never lets it be
// changed. The Secret is kept in step all the same: another type is no reason to let a credential expire.
func (s *slot) typeProblem() *publishProblem {
	want := output.TypeOf(s.output)
	if s.facts.version == "" || s.facts.kind == want {
		return nil
	}
	return &publishProblem{v1alpha1.ReasonWriteRefused, fmt.Sprintf(
		"Secret %s has the type %q, which Kubernetes does not let change, and the output asks for %q: write another %s, or delete the Secret, and it is written anew",
		s.key, s.facts.kind, want, s.field("secretName"))}
}
