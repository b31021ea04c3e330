// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package target

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/output"
)

// Desired is what a Secret shall carry.
type Desired struct {
	Key      types.NamespacedName
	Rendered output.Rendered
	Marks    Marks
	// Owner is set where the Secret goes with its ClusterCredential.
	Owner *metav1.OwnerReference
}

func (d Desired) labels() map[string]string {
	return labelsWith(d.Rendered.Labels, d.Marks)
}

// labelsWith are the labels of the user with ours. The class is ours to say also where there is none: a Secret with another one
// is not seen any more.
func labelsWith(user map[string]string, marks Marks) map[string]string {
	all := merged(user, marks.Labels())
	if marks.Class == "" {
		delete(all, v1alpha1.LabelClass)
	}
	return all
}

func (d Desired) annotations() map[string]string {
	return merged(d.Rendered.Annotations, d.Marks.annotations())
}

func merged(user, ours map[string]string) map[string]string {
	all := make(map[string]string, len(user)+len(ours))
	maps.Copy(all, user)
	maps.Copy(all, ours)
	return all
}

// Carries says whether the Secret carries everything that is desired, and nothing
// that we put there earlier and do not desire any more.
func (d Desired) Carries(live *corev1.Secret) bool {
	if !covers(live.Labels, d.labels()) || !covers(live.Annotations, d.annotations()) {
		return false
	}
	for key, value := range d.Rendered.Data {
		if !bytes.Equal(live.Data[key], value.Reveal()) {
			return false
		}
	}
	if d.Owner != nil && !hasOwner(live, d.Owner.UID) {
		return false
	}
	return len(d.leftovers(live)) == 0 && d.strays(live) == nil
}

// strays is a merge patch that removes what must not stay, whoever owns it: the note
// that the Secret was released, a class where there is none, and the very credential under another key. After a
// restore they belong to another manager, and apply leaves them. nil: nothing.
func (d Desired) strays(live *corev1.Secret) map[string]any {
	metadata, data := map[string]any{}, map[string]any{}
	if _, released := live.Annotations[v1alpha1.AnnotationReleasedAt]; released {
		metadata["annotations"] = map[string]any{v1alpha1.AnnotationReleasedAt: nil}
	}
	if _, classed := live.Labels[v1alpha1.LabelClass]; classed && d.Marks.Class == "" {
		metadata["labels"] = map[string]any{v1alpha1.LabelClass: nil}
	}
	ours := []string{d.Marks.Fingerprint, live.Annotations[v1alpha1.AnnotationFingerprint]}
	for key, value := range live.Data {
		if _, wanted := d.Rendered.Data[key]; wanted {
			continue
		}
		if c, _, found := output.Search(map[string][]byte{key: value}); found && slices.Contains(ours, c.Fingerprint) {
			data[key] = nil
		}
	}
	if len(metadata)+len(data) == 0 {
		return nil
	}
	metadata["resourceVersion"] = live.ResourceVersion
	return map[string]any{"metadata": metadata, "data": data}
}

func covers(have, want map[string]string) bool {
	for key, value := range want {
		if got, ok := have[key]; !ok || got != value {
			return false
		}
	}
	return true
}

func hasOwner(live *corev1.Secret, uid types.UID) bool {
	for _, owner := range live.OwnerReferences {
		if owner.UID == uid {
			return true
		}
	}
	return false
}

// ownedFields is the part of a managedFields entry that concerns a Secret.
type ownedFields struct {
	Metadata struct {
		Labels      map[string]any `json:"f:labels"`
		Annotations map[string]any `json:"f:annotations"`
		Owners      map[string]any `json:"f:ownerReferences"`
	} `json:"f:metadata"`
	Data map[string]any `json:"f:data"`
}

// leftovers lists the operations (Apply, Update) under which we own something on the
// Secret that is not desired any more.
func (d Desired) leftovers(live *corev1.Secret) []metav1.ManagedFieldsOperationType {
	var found []metav1.ManagedFieldsOperationType
	labels, annotations := d.labels(), d.annotations()
	for _, entry := range live.ManagedFields {
		if entry.Manager != v1alpha1.FieldOwner || entry.FieldsV1 == nil {
			continue
		}
		var owned ownedFields
		if err := json.Unmarshal(entry.FieldsV1.GetRawBytes(), &owned); err != nil {
			continue // not ours to mend: the API server writes these
		}
		if extra(owned.Metadata.Labels, labels) || extra(owned.Metadata.Annotations, annotations) ||
			extra(owned.Data, d.Rendered.Data) || d.extraOwner(owned.Metadata.Owners) {
			found = append(found, entry.Operation)
		}
	}
	return found
}

// extra says whether a field is owned whose key is not desired.
func extra[V any](owned map[string]any, desired map[string]V) bool {
	for field := range owned {
		key, isField := strings.CutPrefix(field, "f:")
		if _, wanted := desired[key]; isField && !wanted {
			return true
		}
	}
	return false
}

func (d Desired) extraOwner(owned map[string]any) bool {
	for field := range owned {
		if !strings.HasPrefix(field, "k:") {
			continue
		}
		if d.Owner == nil || !strings.Contains(field, `"`+string(d.Owner.UID)+`"`) {
			return true
		}
	}
	return false
}
