// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package commands

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/clustercredential/operator/cmd/kubectl-clustercredential/leak"
	"github.com/clustercredential/operator/cmd/kubectl-clustercredential/table"
)

type whoseOptions struct{ file, output string }

const aboutWhose = `Finds out which ClusterCredential a kubeconfig or a certificate comes from, and what a revocation of it would hit.

It looks through all namespaces that you may read, or through one with -n. The cloud revokes all certificates of an identity on a
cluster at once, so it lists every ClusterCredential with the same identity on the same cluster. It prints no key.`

func newWhose(h *hub) *cobra.Command {
	var o whoseOptions
	cmd := &cobra.Command{
		Use: "whose -f FILE", Short: "Find out whose a leaked kubeconfig or certificate is", Long: aboutWhose, Args: cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return h.whose(cmd.Context(), o) },
	}
	cmd.Flags().StringVarP(&o.file, "filename", "f", "", "kubeconfig, or certificate in PEM form; -: standard input")
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "json")
	choices(cmd, "output", formatJSON)
	_ = cmd.MarkFlagRequired("filename") // the flag exists
	return cmd
}

// traced is one certificate with all that the hub knows of it.
type traced struct {
	leak.Certificate
	Expired  bool           `json:"expired"`
	Places   []leak.Place   `json:"places"`
	Siblings []leak.Sibling `json:"siblings"`
}

// whoseAnswer is the answer for programs.
type whoseAnswer struct {
	Certificates []traced `json:"certificates"`
	Notes        []string `json:"notes"`
	// Searched says what was looked through, Unseen what could not be.
	Searched string   `json:"searched"`
	Unseen   []string `json:"unseen"`
}

func (h *hub) whose(ctx context.Context, o whoseOptions) error {
	if err := oneOf("--output", o.output, "", formatJSON); err != nil {
		return err
	}
	input, err := h.readInput(o.file)
	if err != nil {
		return err
	}
	certificates, notes, err := leak.Read(input)
	if err != nil {
		return err
	}
	s, err := h.connect()
	if err != nil {
		return err
	}
	answer := whoseAnswer{Certificates: []traced{}, Notes: append([]string{}, notes...), Unseen: []string{}}
	known, err := s.lookThrough(ctx, &answer)
	if err != nil {
		return err
	}
	for _, c := range certificates {
		answer.Certificates = append(answer.Certificates, trace(known, c))
	}
	if err := h.tellWhose(answer, o.output); err != nil {
		return err
	}
	if len(certificates) == 0 || slices.ContainsFunc(answer.Certificates, func(t traced) bool { return len(t.Places) == 0 }) {
		return errNo
	}
	return nil
}

func (h *hub) readInput(file string) ([]byte, error) {
	in := h.In
	if file != "-" {
		opened, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer func() { _ = opened.Close() }()
		in = opened
	}
	return io.ReadAll(io.LimitReader(in, leak.MostInput+1))
}

// lookThrough reads what the hub knows: of all namespaces, or of one where -n says so, or where no more may be read.
func (s *session) lookThrough(ctx context.Context, answer *whoseAnswer) (leak.Hub, error) {
	all := !s.flags.Changed("namespace")
	_, credentials, err := s.credentials(ctx, all, "")
	if all && apierrors.IsForbidden(err) {
		all = false
		answer.Unseen = append(answer.Unseen, "other namespaces: ClusterCredentials may not be listed in all of them by this login")
		_, credentials, err = s.credentials(ctx, all, "")
	}
	if err != nil {
		return leak.Hub{}, err
	}
	if s.flags.Changed("namespace") {
		answer.Unseen = append(answer.Unseen, "other namespaces: -n names one")
	}
	secrets, unseen := s.ourSecrets(ctx, all)
	if unseen != "" {
		answer.Unseen = append(answer.Unseen, unseen+": a certificate that only a Secret tells of is not found")
	}
	answer.Unseen = append(answer.Unseen, "certificates that have left status.history, which keeps ten; those of objects that were deleted with their Secrets; other hubs")
	answer.Searched = fmt.Sprintf("%d ClusterCredentials with their histories and %d Secrets %s", len(credentials), len(secrets), s.where(all))
	return leak.Hub{Credentials: credentials, Secrets: secrets, Now: s.Now()}, nil
}

func trace(known leak.Hub, c leak.Certificate) traced {
	t := traced{Certificate: c, Expired: !known.Now.Before(c.NotAfter), Places: known.Find(c)}
	var clusters []string
	for _, place := range t.Places {
		if place.ClusterID != "" && !slices.Contains(clusters, place.ClusterID) {
			clusters = append(clusters, place.ClusterID)
		}
	}
	if c.CommonName != "" {
		t.Siblings = known.Siblings(c.CommonName, clusters)
	}
	return t
}

func (h *hub) tellWhose(a whoseAnswer, format string) error {
	if format == formatJSON {
		return h.print(format, a)
	}
	for i := range a.Certificates {
		if err := h.tellTraced(a, &a.Certificates[i]); err != nil {
			return err
		}
	}
	for _, note := range a.Notes {
		fmt.Fprintln(h.Err, "note:", table.Printable(note))
	}
	if len(a.Certificates) == 0 {
		return &noError{"there is no client certificate in it"}
	}
	for _, unseen := range a.Unseen { // whoever revokes has to know what else that may hit
		fmt.Fprintln(h.Err, "not seen:", table.Printable(unseen))
	}
	return nil
}

func (h *hub) tellTraced(a whoseAnswer, t *traced) error {
	text := &lines{}
	text.add("Certificate", fmt.Sprintf("%s: serial %s, fingerprint %s", t.Where, t.Serial, t.Fingerprint))
	text.add("Identity", t.CommonName)
	if t.Expired {
		text.paint("Validity", "expired at "+when(t.NotAfter, h.Now())+": it opens nothing any more", table.Green)
	} else {
		text.paint("Validity", "VALID until "+when(t.NotAfter, h.Now()), table.Red)
	}
	for _, place := range t.Places {
		text.paint("Found", found(place), table.Yellow)
	}
	if len(t.Places) == 0 {
		text.paint("Found", "nowhere. Searched: "+a.Searched, table.Yellow)
	}
	if err := h.write(text); err != nil {
		return err
	}
	return h.tellSiblings(t)
}

func found(p leak.Place) string {
	text := fmt.Sprintf("ClusterCredential %s/%s, %s", p.Namespace, p.Name, p.State)
	if p.Secret != "" {
		text += " in Secret " + p.Secret
	}
	if p.ClusterID != "" {
		text += fmt.Sprintf(", cluster %s (%s)", orDash(p.Cluster), p.ClusterID)
	}
	if p.IssuedAt != "" {
		text += ", issued at " + p.IssuedAt
	}
	if p.RequestID != "" {
		text += ", request " + p.RequestID + " in the cloud's audit trail"
	}
	return text
}

func (h *hub) tellSiblings(t *traced) error {
	if len(t.Siblings) == 0 {
		return nil
	}
	said := "A revocation in the cloud hits all certificates of this identity on this cluster:"
	if len(t.Places) == 0 {
		said = "ClusterCredentials with certificates of this identity, on any cluster:"
	}
	if _, err := fmt.Fprintln(h.Out, "\n"+said); err != nil {
		return err
	}
	siblings := table.Table{Head: []string{"NAMESPACE", "NAME", "CLUSTER", "SERIAL", "VALID CERTIFICATES"}}
	for _, s := range t.Siblings {
		valid := fmt.Sprint(s.Valid)
		if s.Secret != "" {
			valid += ", of an identity that is not known: Secret " + s.Secret + " has outlived its ClusterCredential"
		}
		if s.Lost > 0 {
			valid += fmt.Sprintf(", and up to %d whose answer was lost", s.Lost)
		}
		siblings.Rows = append(siblings.Rows, []table.Cell{
			{Text: s.Namespace}, {Text: s.Name}, {Text: strings.TrimSpace(s.Cluster)}, {Text: orDash(s.Serial)}, {Text: valid},
		})
	}
	return siblings.Write(h.Out, h.look())
}
