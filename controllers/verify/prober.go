// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/clustercredential/operator/controllers/kubeconfig"
)

const (
	defaultAttempt   = 2 * time.Second
	defaultTotal     = 5 * time.Second
	defaultPause     = time.Second
	defaultSlots     = 8
	slotWait         = 500 * time.Millisecond
	defaultUserAgent = "clustercredential-operator"
)

// Options say how targets are tried. The zero value is a good start. A credential that names no proxy is tried through
// what HTTPS_PROXY and NO_PROXY of the process say, as kubectl does, and as calls to the cloud are made.
type Options struct {
	// Attempt bounds one attempt, and Total all of a Try. Zero: 2s and 5s.
	Attempt, Total time.Duration
	// Pause lies between the attempts of a Try. Zero: 1s.
	Pause time.Duration
	// Slots bounds how many targets are tried at a time. Below the number of workers, so that hung targets leave some
	// of them for others. Zero: 8.
	Slots int
	// UserAgent is sent along, printable ASCII. Empty: clustercredential-operator.
	UserAgent string
	// DialContext opens every connection. Nil: over the network.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
	// environment finds the proxy of a credential that names none.
	environment func(*http.Request) (*url.URL, error)
}

// Prober tries credentials. It keeps no connection and remembers nothing. It is safe for use by several goroutines.
type Prober struct {
	options Options
	slots   chan struct{}
}

// New makes a Prober.
func New(options Options) *Prober {
	options.Attempt = cmp.Or(options.Attempt, defaultAttempt)
	options.Total = cmp.Or(options.Total, defaultTotal)
	options.Pause = cmp.Or(options.Pause, defaultPause)
	options.UserAgent = cmp.Or(options.UserAgent, defaultUserAgent)
	if options.Slots < 1 {
		options.Slots = defaultSlots
	}
	options.environment = http.ProxyFromEnvironment
	if options.DialContext == nil {
		options.DialContext = (&net.Dialer{}).DialContext
	}
	return &Prober{options: options, slots: make(chan struct{}, options.Slots)}
}

// Try shows the credential to the server that it names, and returns within Options.Total. It makes one attempt, in
// Options.Attempt.
//
// With fresh, for a certificate that was just signed or a server whose names were just changed, it makes a few: after a
// refusal, and after a server certificate for other names or times. Then it also waits half a second for a slot, since a
// certificate was paid for; otherwise it is Busy at once, so that no worker waits for the targets of others.
func (p *Prober) Try(ctx context.Context, c kubeconfig.Credential, fresh bool) Outcome {
	ctx, cancel := context.WithTimeout(ctx, p.options.Total)
	defer cancel()
	t, err := newTarget(c)
	if err != nil {
		return unreachable(0, "the credential cannot be used: "+err.Error()).Outcome
	}
	if !p.enter(ctx, fresh) {
		return Outcome{Verdict: Busy, Detail: "not tried: too many other targets are being tried"}
	}
	defer p.leave()
	return p.tryUntil(ctx, t, fresh)
}

func (p *Prober) enter(ctx context.Context, wait bool) bool {
	select {
	case p.slots <- struct{}{}:
		return true
	default:
	}
	if !wait {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, slotWait)
	defer cancel()
	select {
	case p.slots <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (p *Prober) leave() { <-p.slots }

// tryUntil makes the attempts. A refusal stands against attempts after it that learn nothing.
func (p *Prober) tryUntil(ctx context.Context, t *target, fresh bool) Outcome {
	var before Outcome
	for {
		found := p.attempt(ctx, t)
		if before.Verdict == Refused && found.Verdict == Unreachable {
			return before
		}
		if !fresh || !found.again || !p.pause(ctx) {
			return found.Outcome
		}
		before = found.Outcome
	}
}

// pause is false where no time is left for another attempt.
func (p *Prober) pause(ctx context.Context) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= p.options.Pause {
		return false
	}
	timer := time.NewTimer(p.options.Pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
