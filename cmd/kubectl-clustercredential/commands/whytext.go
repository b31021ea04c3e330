// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package commands

import (
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/cmd/kubectl-clustercredential/table"
	"github.com/clustercredential/operator/controllers"
	"github.com/clustercredential/operator/controllers/rotation"
	"github.com/clustercredential/operator/controllers/target"
)

func whyText(e *controllers.Explanation, said verdict, o controllers.ExplainOptions, now time.Time) *lines {
	text := &lines{}
	text.say(said.Text)

	text.head("What the operator would decide now")
	d := e.Decision
	text.add("Trigger", orDash(string(d.Trigger)))
	text.add("Decision", decisionText(d, e.Wanted, e.Found, now))
	if !d.RenewalTime.IsZero() {
		text.add("Renewal time", when(d.RenewalTime, now))
	}
	if d.Moved != "" {
		text.add("Windows", d.Moved+"; without windows: "+stamp(d.PlainTime))
	}
	if d.Note != "" {
		text.add("Note", d.Note)
	}

	text.head("What feeds that")
	storedLines(text, e, now)
	wishLines(text, e)
	attemptLines(text, e, now)
	conditionLines(text, e.Credential)

	text.head("What is not to be seen from here")
	for _, unknown := range unknowns(e, o) {
		text.point(unknown)
	}
	return text
}

func storedLines(text *lines, e *controllers.Explanation, now time.Time) {
	secret := e.Secret.Name.String()
	switch {
	case !e.Secret.Exists:
		secret += ": does not exist, or is not the operator's"
	case e.Secret.Standing == target.Ours:
		secret += ": carries the operator's marks"
	case e.Secret.Standing == target.Stripped:
		secret += ": has lost its marks; they are put back"
	case e.Secret.Standing == target.Others:
		secret += ": belongs to another ClusterCredential"
	default:
		secret += ": belongs to somebody else"
	}
	if e.Secret.FilledFrom != "" {
		secret += "; the credential is taken from Secret " + e.Secret.FilledFrom
	}
	text.add("Secret", secret)
	if c := e.Secret.Certificate; c != nil {
		text.add("Certificate", fmt.Sprintf("serial %s, from %s to %s", c.SerialNumber, stamp(c.NotBefore.Time), when(c.NotAfter.Time, now)))
	} else {
		text.add("Certificate", "none that can be read")
	}
	if record := e.Found.Record; record != nil {
		text.add("Asked for", recordText(*record))
	}
}

func recordText(r rotation.Record) string {
	return fmt.Sprintf("cluster %s, validity %s, account %s %s", orDash(r.ClusterID), r.Validity, r.AccountKind, r.AccountName)
}

func wishLines(text *lines, e *controllers.Explanation) {
	if class := e.Credential.Labels[v1alpha1.LabelClass]; class != "" {
		text.add("Class", class)
	}
	text.add("Wanted", recordText(e.Wanted.Record))
	if e.Wanted.OtherName {
		text.add("", "spec.cluster names another cluster than the published one")
	}
	if e.Wanted.Unreachable {
		text.add("", "spec.endpoint names an address that is not known yet")
	}
	text.add("Schedule", scheduleText(e.Wanted.Schedule))
	request := "none"
	if e.Wanted.RenewRequest != "" {
		request = e.Wanted.RenewRequest + ", not handled yet"
		for _, handled := range e.Found.Handled {
			if handled == rotation.CutRequest(e.Wanted.RenewRequest) {
				request = e.Wanted.RenewRequest + ", handled"
			}
		}
	}
	text.add("Request", request)
	account := string(e.Account.Kind) + " " + e.Account.Name
	switch {
	case e.Account.Reason != "":
		account += ": " + string(e.Account.Reason) + ": " + e.Account.Message
	case e.Account.Ready != nil:
		account += fmt.Sprintf(": Ready is %s, %s", e.Account.Ready.Status, e.Account.Ready.Reason)
	}
	text.add("Account", account)
}

func scheduleText(s rotation.Schedule) string {
	var parts []string
	switch {
	case s.Manual:
		parts = append(parts, "never by time (Manual)")
	case s.Before > 0:
		parts = append(parts, fmt.Sprintf("%s before the certificate expires", s.Before))
	case s.Percent > 0:
		parts = append(parts, fmt.Sprintf("with %d %% of the lifetime left", s.Percent))
	default:
		parts = append(parts, "with a third of the lifetime left")
	}
	for _, w := range s.Windows {
		zone := w.TimeZone
		if zone == "" {
			zone = "UTC"
		}
		parts = append(parts, fmt.Sprintf("window %q for %s (%s)", w.Schedule, w.Duration, zone))
	}
	if s.Cap > 0 {
		parts = append(parts, fmt.Sprintf("the account lends for at most %s", s.Cap))
	}
	return strings.Join(parts, "; ")
}

func attemptLines(text *lines, e *controllers.Explanation, now time.Time) {
	if e.Found.Failures > 0 {
		failures := fmt.Sprintf("%d in a row", e.Found.Failures)
		if e.Found.FailedWith != e.Wanted.With {
			failures += ", with another spec, account, key or request: they do not count"
		} else if !e.Found.RetryAt.IsZero() {
			failures += ", next attempt " + when(e.Found.RetryAt, now)
		}
		text.add("Failures", failures)
	}
	title := "Attempts"
	for _, attempt := range e.Found.Attempts {
		what := string(attempt.Trigger)
		switch {
		case attempt.Lost:
			what += ", the answer was lost"
		case attempt.Discarded:
			what += ", discarded"
		}
		if attempt.StillCounts(now) {
			what += ", counts for the limits of the object"
		}
		text.add(title, when(attempt.At, now)+": "+what)
		title = ""
	}
}

func conditionLines(text *lines, cc *v1alpha1.ClusterCredential) {
	title := "Conditions"
	for _, c := range cc.Status.Conditions {
		colour := table.Plain
		if c.Status != metav1.ConditionTrue {
			colour = table.Yellow
		}
		text.paint(title, fmt.Sprintf("%s is %s, %s: %s", c.Type, c.Status, c.Reason, c.Message), colour)
		title = ""
	}
}

// unknowns are what the operator knows and nobody else.
func unknowns(e *controllers.Explanation, o controllers.ExplainOptions) []string {
	all := []string{
		fmt.Sprintf("the operator's flags: taken for --min-issue-interval=%s --allow-insecure-tls=%t --cross-namespace-outputs=%t; whether its --namespaces has this one",
			o.MinIssueInterval, o.AllowInsecureTLS, o.CrossNamespaceOutputs),
		"the turn in the account's line, and whether a change is held as one of too many (FleetHeld): Issued tells when it waits",
		"what the cloud has listed and what the cluster has answered lately: Verified and Issued tell",
		"a certificate that waits in the operator's memory to be stored or accepted: Published tells",
	}
	if class := e.Credential.Labels[v1alpha1.LabelClass]; class != "" {
		all = append(all, "whether an operator runs with --class="+class)
	}
	if e.Account.Unread {
		all = append(all, "the key of the account, which may not be read by this login: that it changed is not noticed")
	}
	return append(all, e.Unseen...)
}
