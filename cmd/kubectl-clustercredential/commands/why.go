// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package commands

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers"
	"github.com/clustercredential/operator/controllers/rotation"
)

type whyOptions struct {
	operator controllers.ExplainOptions
	output   string
}

const aboutWhy = `Says what the operator would decide now about a certificate, and everything that feeds that: with the operator's own code, from
what the API server shows. Where status says something that matters more (suspended, an account that is not ready, a wait), that
comes first.

Flags of the operator are not to be seen from here: give those that it runs with, where they are not the defaults.

The exit code is 2 where nothing will change until somebody acts (Stalled).`

func newWhy(h *hub) *cobra.Command {
	var o whyOptions
	cmd := &cobra.Command{
		Use: "why NAME", Short: "Say what the operator would do now, and why", Long: aboutWhy, Args: cobra.ExactArgs(1),
		ValidArgsFunction: h.completeOne,
		RunE:              func(cmd *cobra.Command, args []string) error { return h.why(cmd.Context(), args[0], o) },
	}
	cmd.Flags().DurationVar(&o.operator.MinIssueInterval, "min-issue-interval", controllers.DefaultMinIssueInterval, "as the operator's flag")
	cmd.Flags().BoolVar(&o.operator.AllowInsecureTLS, "allow-insecure-tls", false, "as the operator's flag")
	cmd.Flags().BoolVar(&o.operator.CrossNamespaceOutputs, "cross-namespace-outputs", false, "as the operator's flag")
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "json")
	choices(cmd, "output", formatJSON)
	return cmd
}

func (h *hub) why(ctx context.Context, name string, o whyOptions) error {
	if err := oneOf("--output", o.output, "", formatJSON); err != nil {
		return err
	}
	s, err := h.connect()
	if err != nil {
		return err
	}
	now := h.Now()
	explained, err := controllers.Explain(ctx, s, s.key(name), o.operator, now)
	if err != nil {
		return err
	}
	said := verdictOf(explained, now)
	if o.output == formatJSON {
		err = h.print(formatJSON, reasonsOf(explained, said, o.operator))
	} else {
		err = h.write(whyText(explained, said, o.operator, now))
	}
	if err == nil && said.Stalled {
		return errNo
	}
	return err
}

// verdict is what is said first.
type verdict struct {
	// Reason is that of status, or of the decision; empty: all is well.
	Reason string `json:"reason,omitempty"`
	Text   string `json:"text"`
	// Stalled: nothing will change until somebody acts.
	Stalled bool `json:"stalled"`
}

// verdictOf says what matters most: what holds the operator, then what it would decide.
func verdictOf(e *controllers.Explanation, now time.Time) verdict {
	for _, look := range []func(*controllers.Explanation, time.Time) *verdict{
		goneVerdict, suspendedVerdict, underWay, stalledVerdict, accountVerdict, unseenSpec, waitingVerdict,
	} {
		if said := look(e, now); said != nil {
			return *said
		}
	}
	return verdict{Reason: string(e.Decision.Reason), Text: decisionText(e.Decision, e.Wanted, e.Found, now)}
}

func goneVerdict(e *controllers.Explanation, _ time.Time) *verdict {
	if e.Credential.DeletionTimestamp.IsZero() {
		return nil
	}
	return &verdict{Text: "It is being deleted: nothing is asked for."}
}

func suspendedVerdict(e *controllers.Explanation, now time.Time) *verdict {
	if !e.Wanted.Suspended {
		return nil
	}
	awake := e.Wanted
	awake.Suspended = false
	otherwise := decisionText(rotation.Decide(now, awake, e.Found), awake, e.Found, now)
	return &verdict{
		Reason: string(v1alpha1.ReasonSuspended),
		Text:   "spec.suspend is true: nothing is asked for. Set it to false to go on. Then: " + otherwise,
	}
}

func underWay(e *controllers.Explanation, now time.Time) *verdict {
	open := e.Credential.Status.Issuance
	if open == nil || now.Sub(open.StartedAt.Time) >= rotation.HoldOff {
		return nil
	}
	return &verdict{
		Reason: string(v1alpha1.ReasonIssuing),
		Text:   "A certificate is being asked for since " + when(open.StartedAt.Time, now) + " (" + string(open.Trigger) + ").",
	}
}

func stalledVerdict(e *controllers.Explanation, _ time.Time) *verdict {
	stalled := condition(e.Credential, v1alpha1.ConditionStalled)
	if stalled == nil || stalled.Status != metav1.ConditionTrue || stalled.ObservedGeneration < e.Credential.Generation {
		return nil // or it was said of another spec
	}
	if e.Decision.Due && e.Found.FailedWith != "" && e.Found.FailedWith != e.Wanted.With {
		return nil // of another account, key or request
	}
	said := &verdict{Stalled: true, Text: "Nothing will change until somebody acts."}
	for _, kind := range []string{v1alpha1.ConditionIssued, v1alpha1.ConditionPublished, v1alpha1.ConditionReady} {
		if c := condition(e.Credential, kind); c != nil && c.Status != metav1.ConditionTrue {
			said.Reason, said.Text = c.Reason, said.Text+" "+kind+" is "+string(c.Status)+", "+c.Reason+": "+c.Message
			break
		}
	}
	return said
}

func accountVerdict(e *controllers.Explanation, now time.Time) *verdict {
	text := ""
	switch account := e.Account; {
	case account.Reason != "" && !account.Unread:
		return &verdict{
			Reason: string(account.Reason),
			Text:   "The account cannot be used: " + account.Message + ". Once it can: " + decisionText(e.Decision, e.Wanted, e.Found, now),
		}
	case account.Ready != nil && account.Ready.Status != metav1.ConditionTrue && e.Decision.Trigger != "":
		text = string(account.Kind) + " " + account.Name + " is not ready, " + account.Ready.Reason + ": " + account.Ready.Message +
			". Besides that: " + decisionText(e.Decision, e.Wanted, e.Found, now)
		return &verdict{Reason: account.Ready.Reason, Text: text}
	}
	return nil
}

func unseenSpec(e *controllers.Explanation, now time.Time) *verdict {
	if e.Credential.Status.ObservedGeneration >= e.Credential.Generation {
		return nil
	}
	return &verdict{
		Reason: string(e.Decision.Reason),
		Text: "The operator has not told of this spec yet: it is at work, or does not run, or does not look at this namespace (--namespaces) or class (--class). " +
			decisionText(e.Decision, e.Wanted, e.Found, now),
	}
}

// waitingVerdict is for a certificate that may be asked for, and waits for something that only the operator sees: a turn, the fleet,
// the cluster, the cloud.
func waitingVerdict(e *controllers.Explanation, now time.Time) *verdict {
	issued := condition(e.Credential, v1alpha1.ConditionIssued)
	at := e.Credential.Status.NextAttemptTime
	if e.Decision.Trigger == "" || !e.Decision.Due || issued == nil || issued.ObservedGeneration != e.Credential.Generation {
		return nil
	}
	waits := issued.Status != metav1.ConditionTrue || issued.Reason == string(v1alpha1.ReasonRateLimited)
	if !waits {
		return nil
	}
	text := "A certificate is due, and status says what it waits for: " + issued.Reason + ": " + issued.Message
	if at != nil {
		text += " (next attempt " + when(at.Time, now) + ")"
	}
	return &verdict{Reason: issued.Reason, Text: text}
}

// decisionText says a decision in a sentence or two.
func decisionText(d rotation.Decision, want rotation.Wanted, have rotation.Found, now time.Time) string {
	switch {
	case d.Trigger == "" && want.Schedule.Manual:
		return "No certificate is due, and none will be by time (spec.renewal.policy: Manual)."
	case d.Trigger == "":
		return "No certificate is due. The next one is asked for at " + when(d.RenewalTime, now) + "."
	case d.Due:
		return "A certificate is asked for now (" + string(d.Trigger) + "): " + d.Message + "."
	case d.At.IsZero():
		return "A certificate is wanted (" + string(d.Trigger) + "), and is not asked for before something changes: the last attempt with this spec, account, key and request was refused for good."
	case have.Failures > 0 && have.FailedWith == want.With && d.At.Equal(have.RetryAt):
		return "A certificate is wanted (" + string(d.Trigger) + "): " + d.Message + ". After failures it is tried again at " + when(d.At, now) + "."
	}
	return "A certificate is wanted (" + string(d.Trigger) + ") and waits until " + when(d.At, now) + ", " + string(d.Reason) + ": " + d.Message + "."
}
