// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package target

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/issuer"
)

func TestASecretCarriesWhatIsDesired(t *testing.T) {
	owner := metav1.OwnerReference{UID: "uid-1", Kind: "ClusterCredential", Name: "prod-1"}
	for name, test := range map[string]struct {
		desire func(*Desired)
		change func(*corev1.Secret)
		want   bool
	}{
		"all of it": {nil, func(*corev1.Secret) {}, true},
		"all of it, and what others added": {nil, func(s *corev1.Secret) {
			s.Labels["shard"], s.Annotations["seen"], s.Data["config"] = "1", "x", []byte("theirs")
			s.OwnerReferences = []metav1.OwnerReference{owner}
		}, true},
		"not a label of the user":             {nil, func(s *corev1.Secret) { delete(s.Labels, "env") }, false},
		"another value of a label":            {nil, func(s *corev1.Secret) { s.Labels["env"] = "test" }, false},
		"not the label that we watch by":      {nil, func(s *corev1.Secret) { delete(s.Labels, v1alpha1.LabelManaged) }, false},
		"not the class":                       {ofClass("a"), func(s *corev1.Secret) { delete(s.Labels, v1alpha1.LabelClass) }, false},
		"another class":                       {ofClass("a"), func(s *corev1.Secret) { s.Labels[v1alpha1.LabelClass] = "b" }, false},
		"a class where there is none":         {nil, func(s *corev1.Secret) { s.Labels[v1alpha1.LabelClass] = "a" }, false},
		"a class without a name":              {nil, func(s *corev1.Secret) { s.Labels[v1alpha1.LabelClass] = "" }, false},
		"not an annotation of the user":       {nil, func(s *corev1.Secret) { delete(s.Annotations, "note") }, false},
		"another expiry":                      {nil, func(s *corev1.Secret) { s.Annotations[v1alpha1.AnnotationNotAfter] = "x" }, false},
		"no record of a request":              {nil, func(s *corev1.Secret) { delete(s.Annotations, v1alpha1.AnnotationRenewRequest) }, false},
		"other bytes":                         {nil, func(s *corev1.Secret) { s.Data["value"] = []byte("theirs") }, false},
		"no bytes":                            {nil, func(s *corev1.Secret) { s.Data = nil }, false},
		"an empty label that is not there":    {func(d *Desired) { d.Rendered.Labels["empty"] = "" }, func(s *corev1.Secret) { delete(s.Labels, "empty") }, false},
		"without its owner":                   {withOwner("uid-1"), func(*corev1.Secret) {}, false},
		"with its owner":                      {withOwner("uid-1"), func(s *corev1.Secret) { s.OwnerReferences = []metav1.OwnerReference{owner} }, true},
		"with its owner of another life":      {withOwner("uid-2"), func(s *corev1.Secret) { s.OwnerReferences = []metav1.OwnerReference{owner} }, false},
		"what managedFields cannot say is so": {nil, func(s *corev1.Secret) { s.ManagedFields = []metav1.ManagedFieldsEntry{fieldsOf("Apply", "{")} }, true},
	} {
		t.Run(name, func(t *testing.T) {
			var changes []func(*Desired)
			if test.desire != nil {
				changes = append(changes, test.desire)
			}
			d := desired("fleet", changes...)
			live := d.on(&corev1.Secret{})
			test.change(live)
			if got := d.Carries(live); got != test.want {
				t.Errorf("Carries = %v", got)
			}
		})
	}
}

func TestMarksWinOverLabelsAndAnnotationsOfTheUser(t *testing.T) {
	d := desired("fleet", func(d *Desired) {
		d.Rendered.Labels[v1alpha1.LabelManaged] = "false"
		d.Rendered.Annotations[v1alpha1.AnnotationCredential] = "another"
	})
	if d.labels()[v1alpha1.LabelManaged] != "true" || d.annotations()[v1alpha1.AnnotationCredential] != "prod-1" {
		t.Errorf("got %v, %v", d.labels(), d.annotations())
	}
}

func TestTheClassIsNotTheUsersToSay(t *testing.T) {
	for _, class := range []string{"", "a"} {
		d := desired("fleet", ofClass(class), func(d *Desired) { d.Rendered.Labels[v1alpha1.LabelClass] = "theirs" })
		if got, has := d.labels()[v1alpha1.LabelClass]; got != class || has != (class != "") {
			t.Errorf("of class %q: %v", class, d.labels())
		}
	}
}

func fieldsOf(operation metav1.ManagedFieldsOperationType, fields string) metav1.ManagedFieldsEntry {
	return metav1.ManagedFieldsEntry{
		Manager: v1alpha1.FieldOwner, Operation: operation, APIVersion: "v1", FieldsType: "FieldsV1",
		FieldsV1: metav1.NewFieldsV1(fields),
	}
}

// The samples are what a kube-apiserver 1.37 wrote.
const (
	fieldsOfPOST    = `{"f:data":{".":{},"f:value":{}},"f:metadata":{"f:annotations":{".":{},"f:clustercredential.dev/credential":{},"f:clustercredential.dev/credential-namespace":{},"f:clustercredential.dev/credential-uid":{},"f:clustercredential.dev/fingerprint":{},"f:clustercredential.dev/issuance-id":{},"f:clustercredential.dev/not-after":{},"f:clustercredential.dev/renew-request":{},"f:clustercredential.dev/request":{},"f:clustercredential.dev/revision":{},"f:clustercredential.dev/source":{},"f:note":{}},"f:labels":{".":{},"f:app.kubernetes.io/managed-by":{},"f:clustercredential.dev/managed":{},"f:env":{},"f:team":{}},"f:ownerReferences":{".":{},"k:{\"uid\":\"uid-1\"}":{}}},"f:type":{}}`
	fieldsOfApply   = `{"f:data":{"f:value":{}},"f:metadata":{"f:annotations":{"f:note":{}},"f:labels":{"f:env":{},"f:team":{}},"f:ownerReferences":{"k:{\"uid\":\"uid-1\"}":{}}}}`
	fieldsOfRelease = `{"f:metadata":{"f:annotations":{"f:clustercredential.dev/released-at":{}}}}`
)

func TestWhatIsOursAndNotDesiredIsLeftOver(t *testing.T) {
	const post, apply = metav1.ManagedFieldsOperationUpdate, metav1.ManagedFieldsOperationApply
	theirs := fieldsOf(post, `{"f:data":{"f:theirs":{}},"f:metadata":{"f:labels":{"f:theirs":{}}}}`)
	theirs.Manager = "kubectl-edit"
	empty := fieldsOf(apply, "")
	empty.FieldsV1 = nil
	none := func(*Desired) {}
	for name, test := range map[string]struct {
		fields []metav1.ManagedFieldsEntry
		change func(*Desired)
		want   []metav1.ManagedFieldsOperationType
	}{
		"nothing of what was created":            {[]metav1.ManagedFieldsEntry{fieldsOf(post, fieldsOfPOST)}, none, nil},
		"nothing of what was applied":            {[]metav1.ManagedFieldsEntry{fieldsOf(apply, fieldsOfApply)}, none, nil},
		"nothing of what others wrote":           {[]metav1.ManagedFieldsEntry{theirs}, none, nil},
		"nothing without fields":                 {[]metav1.ManagedFieldsEntry{empty}, none, nil},
		"a label that was created":               {[]metav1.ManagedFieldsEntry{fieldsOf(post, fieldsOfPOST)}, without("team"), []metav1.ManagedFieldsOperationType{post}},
		"a label that was applied":               {[]metav1.ManagedFieldsEntry{fieldsOf(apply, fieldsOfApply)}, without("team"), []metav1.ManagedFieldsOperationType{apply}},
		"a label that was created and applied":   {[]metav1.ManagedFieldsEntry{fieldsOf(apply, fieldsOfApply), fieldsOf(post, fieldsOfPOST)}, without("env"), []metav1.ManagedFieldsOperationType{apply, post}},
		"an annotation":                          {[]metav1.ManagedFieldsEntry{fieldsOf(apply, fieldsOfApply)}, func(d *Desired) { d.Rendered.Annotations = nil }, []metav1.ManagedFieldsOperationType{apply}},
		"a mark that is not written any more":    {[]metav1.ManagedFieldsEntry{fieldsOf(post, fieldsOfPOST)}, func(d *Desired) { d.Marks.IssuanceID = "" }, []metav1.ManagedFieldsOperationType{post}},
		"a data key":                             {[]metav1.ManagedFieldsEntry{fieldsOf(apply, fieldsOfApply)}, underKey("kubeconfig"), []metav1.ManagedFieldsOperationType{apply}},
		"the note of a release":                  {[]metav1.ManagedFieldsEntry{fieldsOf(post, fieldsOfRelease)}, none, []metav1.ManagedFieldsOperationType{post}},
		"an owner that is not wanted any more":   {[]metav1.ManagedFieldsEntry{fieldsOf(apply, fieldsOfApply)}, func(d *Desired) { d.Owner = nil }, []metav1.ManagedFieldsOperationType{apply}},
		"an owner of another life":               {[]metav1.ManagedFieldsEntry{fieldsOf(apply, fieldsOfApply)}, withOwner("uid-2"), []metav1.ManagedFieldsOperationType{apply}},
		"an owner whose UID begins like another": {[]metav1.ManagedFieldsEntry{fieldsOf(apply, fieldsOfApply)}, withOwner("uid-"), []metav1.ManagedFieldsOperationType{apply}},
	} {
		t.Run(name, func(t *testing.T) {
			d := desired("fleet", withOwner("uid-1"), test.change)
			got := d.leftovers(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{ManagedFields: test.fields}})
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatIsDesiredPrintsNoKey(t *testing.T) {
	d := desired("fleet")
	if got := issuer.Sensitive(canary).String(); got != d.Rendered.Data["value"].String() {
		t.Errorf("got %s", got)
	}
	checkNoCanary(t, d)
}
