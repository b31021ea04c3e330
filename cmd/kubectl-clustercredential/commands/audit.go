// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package commands

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/cmd/kubectl-clustercredential/findings"
	"github.com/clustercredential/operator/cmd/kubectl-clustercredential/table"
)

type auditOptions struct {
	all            bool
	longerThan     time.Duration
	failOn, output string
}

const aboutAudit = `Lists what somebody should know who answers for the keys: gravest first. It reads no key.

The exit code is 2 where there are findings as grave as --fail-on. Notes are the ordinary course of things.`

func newAudit(h *hub) *cobra.Command {
	var o auditOptions
	cmd := &cobra.Command{
		Use: "audit", Short: "Find long-lived, insecure, orphaned and lost certificates", Long: aboutAudit, Args: cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return h.audit(cmd.Context(), o) },
	}
	cmd.Flags().BoolVarP(&o.all, "all-namespaces", "A", false, "look into all namespaces")
	cmd.Flags().DurationVar(&o.longerThan, "longer-than", 90*24*time.Hour, "a certificate that is valid for longer is long-lived")
	cmd.Flags().StringVar(&o.failOn, "fail-on", string(findings.Warning), "least weight that makes the exit code 2: grave, warning or note")
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "json")
	choices(cmd, "output", formatJSON)
	choices(cmd, "fail-on", string(findings.Grave), string(findings.Warning), string(findings.Note))
	return cmd
}

// audited is the answer for programs.
type audited struct {
	Findings []findings.Finding `json:"findings"`
	// Unseen says what could not be looked at.
	Unseen      []string `json:"unseen"`
	Credentials int      `json:"credentials"`
	Secrets     int      `json:"secrets"`
}

func (h *hub) audit(ctx context.Context, o auditOptions) error {
	if err := oneOf("--output", o.output, "", formatJSON); err != nil {
		return err
	}
	if err := oneOf("--fail-on", o.failOn, string(findings.Grave), string(findings.Warning), string(findings.Note)); err != nil {
		return err
	}
	s, err := h.connect()
	if err != nil {
		return err
	}
	_, credentials, err := s.credentials(ctx, o.all, "")
	if err != nil {
		return err
	}
	answer := audited{Findings: []findings.Finding{}, Unseen: []string{}, Credentials: len(credentials)}
	secrets, unseen := s.ourSecrets(ctx, o.all)
	if unseen != "" {
		answer.Unseen = append(answer.Unseen, unseen+": orphaned and released Secrets are not found")
	}
	answer.Secrets = len(secrets)
	found, unsure := findings.Of(findings.Fleet{
		Credentials: credentials, Secrets: secrets, Lives: s.lives(ctx, credentials), Now: h.Now(), LongerThan: o.longerThan,
	})
	answer.Findings = append(answer.Findings, found...)
	answer.Unseen = append(answer.Unseen, unsure...)
	if err := h.tellAudit(answer, o.output); err != nil {
		return err
	}
	weights := findings.Weights()
	least := slices.Index(weights, findings.Weight(o.failOn))
	if slices.ContainsFunc(found, func(f findings.Finding) bool { return slices.Index(weights, f.Weight) <= least }) {
		return errNo
	}
	return nil
}

// ourSecrets lists the Secrets with the operator's label, by their metadata; unseen says why it cannot.
func (s *session) ourSecrets(ctx context.Context, all bool) (secrets []metav1.PartialObjectMetadata, unseen string) {
	options := []client.ListOption{client.MatchingLabels{v1alpha1.LabelManaged: "true"}}
	if !all {
		options = append(options, client.InNamespace(s.namespace))
	}
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("SecretList"))
	if err := s.List(ctx, list, options...); err != nil {
		return nil, fmt.Sprintf("Secrets could not be listed %s (%s)", s.where(all), orDash(string(apierrors.ReasonForError(err))))
	}
	return list.Items, ""
}

// lives says whether a ClusterCredential exists: one that was listed does; others are asked for, each once.
func (s *session) lives(ctx context.Context, credentials []v1alpha1.ClusterCredential) func(types.NamespacedName) (lives, known bool) {
	type answer struct{ lives, known bool }
	told := map[types.NamespacedName]answer{}
	for i := range credentials {
		told[client.ObjectKeyFromObject(&credentials[i])] = answer{true, true}
	}
	return func(name types.NamespacedName) (bool, bool) {
		if name.Name == "" {
			return false, true
		}
		known, asked := told[name]
		if !asked {
			err := s.Get(ctx, name, &v1alpha1.ClusterCredential{})
			known = answer{err == nil, err == nil || apierrors.IsNotFound(err)}
			told[name] = known
		}
		return known.lives, known.known
	}
}

func (h *hub) tellAudit(a audited, format string) error {
	if format == formatJSON {
		return h.print(format, a)
	}
	if len(a.Findings) > 0 {
		if err := findingTable(a.Findings, h.Now()).Write(h.Out, h.look()); err != nil {
			return err
		}
	}
	for _, unseen := range a.Unseen {
		fmt.Fprintln(h.Err, "not seen:", table.Printable(unseen))
	}
	counts := map[findings.Weight]int{}
	for _, f := range a.Findings {
		counts[f.Weight]++
	}
	var said []string
	for _, weight := range findings.Weights() {
		said = append(said, fmt.Sprintf("%d %s", counts[weight], weight))
	}
	_, err := fmt.Fprintf(h.Err, "%d ClusterCredentials and %d Secrets looked at; findings: %s\n", a.Credentials, a.Secrets, strings.Join(said, ", "))
	return err
}

func findingTable(found []findings.Finding, now time.Time) table.Table {
	t := table.Table{Head: []string{"WEIGHT", "FINDING", "NAMESPACE", "OBJECT", "SERIAL", "VALID FOR", "MESSAGE"}}
	colours := map[findings.Weight]table.Colour{findings.Grave: table.Red, findings.Warning: table.Yellow, findings.Note: table.Faint}
	for _, f := range found {
		left := "-"
		switch {
		case f.NotAfter == nil:
		case f.NotAfter.After(now):
			left = span(f.NotAfter.Sub(now))
		default:
			left = "expired"
		}
		t.Rows = append(t.Rows, []table.Cell{
			{Text: string(f.Weight), Colour: colours[f.Weight]}, {Text: string(f.Kind)}, {Text: f.Namespace}, {Text: f.Object},
			{Text: orDash(f.Serial)}, {Text: left}, {Text: f.Message},
		})
	}
	return t
}
