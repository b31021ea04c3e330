// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package commands

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/cmd/kubectl-clustercredential/table"
)

type listOptions struct {
	all                      bool
	output, selector, sortBy string
}

func newList(h *hub) *cobra.Command {
	var o listOptions
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List ClusterCredentials: time left, next renewal, conditions", Args: cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return h.list(cmd.Context(), o) },
	}
	cmd.Flags().BoolVarP(&o.all, "all-namespaces", "A", false, "those of all namespaces")
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "json, yaml or wide")
	cmd.Flags().StringVarP(&o.selector, "selector", "l", "", "only those with these labels")
	cmd.Flags().StringVar(&o.sortBy, "sort-by", "name", "name (with the namespace before it) or expiry")
	choices(cmd, "output", formatJSON, formatYAML, "wide")
	choices(cmd, "sort-by", "name", "expiry")
	return cmd
}

// choices completes the value of a flag.
func choices(cmd *cobra.Command, flag string, values ...string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)) // the flag exists
}

func (h *hub) list(ctx context.Context, o listOptions) error {
	if err := oneOf("--output", o.output, "", formatJSON, formatYAML, "wide"); err != nil {
		return err
	}
	if err := oneOf("--sort-by", o.sortBy, "name", "expiry"); err != nil {
		return err
	}
	s, err := h.connect()
	if err != nil {
		return err
	}
	objects, credentials, err := s.credentials(ctx, o.all, o.selector)
	if err != nil {
		return err
	}
	if o.output == formatJSON || o.output == formatYAML {
		return h.print(o.output, listOf(objects))
	}
	if len(credentials) == 0 {
		_, err := fmt.Fprintln(h.Err, "No ClusterCredentials "+s.where(o.all)+".")
		return err
	}
	if o.sortBy == "expiry" {
		slices.SortStableFunc(credentials, byExpiry)
	}
	return credentialTable(credentials, o.all, o.output == "wide", h.Now()).Write(h.Out, h.look())
}

func (s *session) where(all bool) string {
	if all {
		return "in any namespace"
	}
	return fmt.Sprintf("in namespace %q", s.namespace)
}

// credentials lists ClusterCredentials, by namespace and name: as they are, and as this version knows them.
func (s *session) credentials(ctx context.Context, all bool, selector string) ([]unstructured.Unstructured, []v1alpha1.ClusterCredential, error) {
	matching, err := labels.Parse(selector)
	if err != nil {
		return nil, nil, fmt.Errorf("--selector: %w", err)
	}
	options := []client.ListOption{client.MatchingLabelsSelector{Selector: matching}}
	if !all {
		options = append(options, client.InNamespace(s.namespace))
	}
	found := &unstructured.UnstructuredList{}
	found.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("ClusterCredentialList"))
	if err := s.List(ctx, found, options...); err != nil {
		return nil, nil, fmt.Errorf("list ClusterCredentials: %w", err)
	}
	slices.SortFunc(found.Items, func(a, b unstructured.Unstructured) int {
		return cmp.Or(strings.Compare(a.GetNamespace(), b.GetNamespace()), strings.Compare(a.GetName(), b.GetName()))
	})
	credentials := make([]v1alpha1.ClusterCredential, len(found.Items))
	for i := range found.Items {
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(found.Items[i].Object, &credentials[i]); err != nil {
			return nil, nil, fmt.Errorf("read ClusterCredential %s/%s: %w", found.Items[i].GetNamespace(), found.Items[i].GetName(), err)
		}
	}
	return found.Items, credentials, nil
}

// byExpiry puts first what expires first; what has no certificate has nothing to lose, and comes last.
func byExpiry(a, b v1alpha1.ClusterCredential) int {
	return expiryOf(a).Compare(expiryOf(b))
}

func expiryOf(cc v1alpha1.ClusterCredential) time.Time {
	if cc.Status.Certificate == nil {
		return time.Unix(1<<40, 0)
	}
	return cc.Status.Certificate.NotAfter.Time
}

func credentialTable(credentials []v1alpha1.ClusterCredential, namespaces, wide bool, now time.Time) table.Table {
	t := table.Table{Head: []string{"NAME", "READY", "ISSUED", "CLUSTER", "LEFT", "RENEWS"}}
	if wide {
		t.Head = append(t.Head, "PUBLISHED", "VERIFIED", "ACCOUNT", "SERIAL", "IDENTITY", "SERVER")
	}
	if namespaces {
		t.Head = append([]string{"NAMESPACE"}, t.Head...)
	}
	for i := range credentials {
		cc := &credentials[i]
		row := []table.Cell{
			{Text: cc.Name}, readyCell(cc), issuedCell(cc), {Text: orDash(cc.Status.Cluster)}, leftCell(cc, now), renewsCell(cc, now),
		}
		if wide {
			row = append(row, wideCells(cc)...)
		}
		if namespaces {
			row = append([]table.Cell{{Text: cc.Namespace}}, row...)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func readyCell(cc *v1alpha1.ClusterCredential) table.Cell {
	ready := condition(cc, v1alpha1.ConditionReady)
	switch {
	case ready == nil:
		return table.Cell{Text: "Unknown", Colour: table.Yellow}
	case ready.Status == metav1.ConditionTrue:
		return table.Cell{Text: string(ready.Status), Colour: table.Green}
	}
	return table.Cell{Text: string(ready.Status) + " (" + ready.Reason + ")", Colour: table.Red}
}

func issuedCell(cc *v1alpha1.ClusterCredential) table.Cell {
	issued := condition(cc, v1alpha1.ConditionIssued)
	switch {
	case issued == nil:
		return table.Cell{Text: "-"}
	case issued.Status == metav1.ConditionTrue && issued.Reason == string(v1alpha1.ReasonSuspended):
		return table.Cell{Text: issued.Reason, Colour: table.Faint}
	case issued.Status == metav1.ConditionTrue:
		return table.Cell{Text: issued.Reason}
	}
	return table.Cell{Text: issued.Reason, Colour: table.Yellow}
}

func leftCell(cc *v1alpha1.ClusterCredential, now time.Time) table.Cell {
	certificate := cc.Status.Certificate
	if certificate == nil {
		return table.Cell{Text: "-"}
	}
	left := certificate.NotAfter.Sub(now)
	switch {
	case left <= 0:
		return table.Cell{Text: "expired " + span(-left) + " ago", Colour: table.Red}
	case left < certificate.NotAfter.Sub(certificate.NotBefore.Time)/10:
		return table.Cell{Text: span(left), Colour: table.Yellow}
	}
	return table.Cell{Text: span(left)}
}

func renewsCell(cc *v1alpha1.ClusterCredential, now time.Time) table.Cell {
	at := cc.Status.RenewalTime
	if waits := cc.Status.NextAttemptTime; waits != nil {
		at = waits
	}
	renewal := cc.Spec.Renewal
	switch {
	case cc.Spec.Suspend:
		return table.Cell{Text: "suspended", Colour: table.Faint}
	case at == nil && renewal != nil && renewal.Policy == v1alpha1.RenewalManual:
		return table.Cell{Text: "on request"}
	case at == nil:
		return table.Cell{Text: "-"}
	case !at.After(now):
		return table.Cell{Text: "due", Colour: table.Yellow}
	}
	return table.Cell{Text: "in " + span(at.Sub(now))}
}

func wideCells(cc *v1alpha1.ClusterCredential) []table.Cell {
	account := cc.Spec.AccountRef.Name
	if cc.Spec.AccountRef.Kind == v1alpha1.KindClusterCloudAccount {
		account = "ClusterCloudAccount/" + account
	}
	serial, identity := "-", "-"
	if c := cc.Status.Certificate; c != nil {
		serial, identity = c.SerialNumber, orDash(c.CommonName)
	}
	return []table.Cell{
		statusCell(cc, v1alpha1.ConditionPublished), statusCell(cc, v1alpha1.ConditionVerified), {Text: account}, {Text: serial},
		{Text: identity}, {Text: orDash(cc.Status.Server)},
	}
}

func statusCell(cc *v1alpha1.ClusterCredential, kind string) table.Cell {
	c := condition(cc, kind)
	switch {
	case c == nil:
		return table.Cell{Text: "-"}
	case c.Status == metav1.ConditionTrue:
		return table.Cell{Text: string(c.Status)}
	}
	return table.Cell{Text: string(c.Status) + " (" + c.Reason + ")", Colour: table.Yellow}
}
