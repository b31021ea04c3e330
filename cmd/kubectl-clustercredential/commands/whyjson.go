// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package commands

import (
	"slices"
	"time"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers"
	"github.com/clustercredential/operator/controllers/rotation"
)

// reasons is "why" for programs.
type reasons struct {
	Namespace string          `json:"namespace"`
	Name      string          `json:"name"`
	Verdict   verdict         `json:"verdict"`
	Decision  decisionReasons `json:"decision"`
	Found     foundReasons    `json:"found"`
	Wanted    wantedReasons   `json:"wanted"`
	// Unseen says what is not to be seen from here.
	Unseen []string `json:"unseen"`
}

type decisionReasons struct {
	Trigger     v1alpha1.Trigger `json:"trigger,omitempty"`
	Due         bool             `json:"due"`
	At          *time.Time       `json:"at,omitempty"`
	Reason      v1alpha1.Reason  `json:"reason,omitempty"`
	Message     string           `json:"message,omitempty"`
	RenewalTime *time.Time       `json:"renewalTime,omitempty"`
	PlainTime   *time.Time       `json:"plainTime,omitempty"`
	Windows     string           `json:"windows,omitempty"`
	Note        string           `json:"note,omitempty"`
}

type foundReasons struct {
	Secret      string                `json:"secret"`
	Exists      bool                  `json:"exists"`
	Certificate *v1alpha1.Certificate `json:"certificate,omitempty"`
	Record      *rotation.Record      `json:"record,omitempty"`
	Failures    int32                 `json:"failures"`
	RetryAt     *time.Time            `json:"retryAt,omitempty"`
	Attempts    []attemptReasons      `json:"attempts"`
}

type attemptReasons struct {
	At        time.Time        `json:"at"`
	Trigger   v1alpha1.Trigger `json:"trigger,omitempty"`
	Lost      bool             `json:"lost"`
	Discarded bool             `json:"discarded"`
}

type wantedReasons struct {
	Class          string          `json:"class,omitempty"`
	Record         rotation.Record `json:"record"`
	Suspended      bool            `json:"suspended"`
	RenewRequest   string          `json:"renewRequest,omitempty"`
	RequestHandled bool            `json:"requestHandled"`
	Account        string          `json:"account"`
	AccountReason  v1alpha1.Reason `json:"accountReason,omitempty"`
	AccountMessage string          `json:"accountMessage,omitempty"`
}

func reasonsOf(e *controllers.Explanation, said verdict, o controllers.ExplainOptions) reasons {
	d := e.Decision
	all := reasons{
		Namespace: e.Credential.Namespace, Name: e.Credential.Name, Verdict: said,
		Decision: decisionReasons{
			Trigger: d.Trigger, Due: d.Due, At: given(d.At), Reason: d.Reason, Message: d.Message,
			RenewalTime: given(d.RenewalTime), PlainTime: given(d.PlainTime), Windows: d.Moved, Note: d.Note,
		},
		Found: foundReasons{
			Secret: e.Secret.Name.String(), Exists: e.Secret.Exists, Certificate: e.Secret.Certificate, Record: e.Found.Record,
			Failures: e.Found.Failures, RetryAt: given(e.Found.RetryAt), Attempts: []attemptReasons{},
		},
		Wanted: wantedReasons{
			Class:  e.Credential.Labels[v1alpha1.LabelClass],
			Record: e.Wanted.Record, Suspended: e.Wanted.Suspended, RenewRequest: e.Wanted.RenewRequest,
			RequestHandled: e.Wanted.RenewRequest != "" && slices.Contains(e.Found.Handled, rotation.CutRequest(e.Wanted.RenewRequest)),
			Account:        string(e.Account.Kind) + "/" + e.Account.Name, AccountReason: e.Account.Reason, AccountMessage: e.Account.Message,
		},
		Unseen: unknowns(e, o),
	}
	for _, a := range e.Found.Attempts {
		all.Found.Attempts = append(all.Found.Attempts, attemptReasons{At: a.At.UTC(), Trigger: a.Trigger, Lost: a.Lost, Discarded: a.Discarded})
	}
	return all
}

func given(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	at = at.UTC()
	return &at
}
