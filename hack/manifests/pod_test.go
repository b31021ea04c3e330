// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// hack/conformance has the rules of the level "restricted" checked by Kubernetes' own code. These go beyond it.
func TestThePodHasWhatItNeedsAndNoMore(t *testing.T) {
	pod, c := deployment(t).Spec.Template.Spec, manager(t)
	for what, holds := range map[string]bool{
		"a read-only root file system":          c.SecurityContext.ReadOnlyRootFilesystem != nil && *c.SecurityContext.ReadOnlyRootFilesystem,
		"no volumes":                            len(pod.Volumes) == 0 && len(c.VolumeMounts) == 0,
		"a token, which it says itself":         pod.AutomountServiceAccountToken != nil && *pod.AutomountServiceAccountToken,
		"no addresses of Services in its env":   pod.EnableServiceLinks != nil && !*pod.EnableServiceLinks,
		"no variables of the environment":       len(c.Env) == 0 && len(c.EnvFrom) == 0,
		"requests for CPU and memory":           !c.Resources.Requests.Cpu().IsZero() && !c.Resources.Requests.Memory().IsZero(),
		"a limit of memory":                     !c.Resources.Limits.Memory().IsZero(),
		"time for the calls that are under way": pod.TerminationGracePeriodSeconds != nil && *pod.TerminationGracePeriodSeconds >= 30,
	} {
		if !holds {
			t.Errorf("the Pod has not: %s", what)
		}
	}
	account := read[corev1.ServiceAccount](t, "rbac/service_account.yaml")
	if account.AutomountServiceAccountToken == nil || *account.AutomountServiceAccountToken {
		t.Error("every Pod with the ServiceAccount gets a token")
	}
}

func TestTheNamespaceTakesRestrictedPodsOnly(t *testing.T) {
	namespace := read[corev1.Namespace](t, "manager/namespace.yaml")
	if got := namespace.Labels["pod-security.kubernetes.io/enforce"]; got != "restricted" {
		t.Errorf("the namespace enforces %q", got)
	}
}

func TestTheNetworkPolicyLetsThroughWhatTheOperatorNeeds(t *testing.T) {
	policy := read[networkingv1.NetworkPolicy](t, "network-policy/network_policy.yaml")
	selector, err := metav1.LabelSelectorAsSelector(&policy.Spec.PodSelector)
	if err != nil {
		t.Fatal(err)
	}
	if pod := deployment(t).Spec.Template.Labels; !selector.Matches(labels.Set(pod)) {
		t.Errorf("it is for Pods %s, and those of the Deployment have %v", selector, pod)
	}
	var metrics int32
	for _, port := range manager(t).Ports {
		if port.Name == "metrics" {
			metrics = port.ContainerPort
		}
	}
	var in []int32
	for _, rule := range policy.Spec.Ingress {
		if len(rule.From) == 0 {
			t.Error("a rule lets everybody in")
		}
		in = append(in, numbers(rule.Ports)...)
	}
	if !slices.Equal(in, []int32{metrics}) {
		t.Errorf("the ports %v are open, want that of the metrics, %d", in, metrics)
	}
	var out []int32
	for _, rule := range policy.Spec.Egress {
		if len(rule.Ports) == 0 {
			t.Error("a rule lets everything out")
		}
		out = append(out, numbers(rule.Ports)...)
	}
	// DNS, here and in CCE; CCE and IAM and the API server; the API server behind its Service, here and in CCE; API servers of CCE.
	for _, want := range []int32{53, 5353, 443, 6443, 5444, 5443} {
		if !slices.Contains(out, want) {
			t.Errorf("port %d is not let out", want)
		}
	}
}

func numbers(ports []networkingv1.NetworkPolicyPort) []int32 {
	all := make([]int32, len(ports))
	for i, port := range ports {
		all[i] = port.Port.IntVal
	}
	return all
}
