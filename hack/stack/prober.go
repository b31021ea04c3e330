// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// attemptTime bounds one attempt of a prober.
const attemptTime = 10 * time.Second

// ProbeOptions say what a prober logs in with, and how often.
type ProbeOptions struct {
	Namespace, Secret string
	// Key of the kubeconfig in the Secret. Unset: value.
	Key string
	// Interval between the beginnings of two attempts. Unset: 100ms.
	Interval time.Duration
}

// Probes are what a prober has seen so far.
type Probes struct {
	// Attempts to log in, with or without success.
	Attempts int
	// Failures are the attempts that failed.
	Failures []ProbeFailure
	// Absent counts looks that found no Secret; they are no attempts.
	Absent int
	// Serials of the certificates used, upper-case hexadecimal, in the order in which they were first seen.
	Serials []string
	// UIDs of the Secrets seen, in that order too.
	UIDs []types.UID
	// Last is when the last attempt succeeded.
	Last time.Time
}

// ProbeFailure is one failed attempt.
type ProbeFailure struct {
	Time   time.Time
	Serial string // empty: no certificate was found
	Reason string
}

// Prober logs in with the newest Secret again and again, as a careful user would.
type Prober struct {
	options ProbeOptions
	secrets *kubernetes.Clientset
	cancel  context.CancelFunc
	ended   chan struct{}

	mu   sync.Mutex
	seen Probes
}

// Prober starts a prober. Each attempt reads the Secret, opens a new TLS connection to the server of its kubeconfig and asks
// who it is. It goes on until it, or the stack, is stopped.
//
//nolint:contextcheck,nolintlint // it has the context of the stack; callers are checked, not this
func (s *Stack) Prober(o ProbeOptions) (*Prober, error) {
	if o.Key == "" {
		o.Key = "value"
	}
	if o.Interval == 0 {
		o.Interval = 100 * time.Millisecond
	}
	secrets, err := kubernetes.NewForConfig(s.Kube.Config())
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(s.life)
	p := &Prober{options: o, secrets: secrets, cancel: cancel, ended: make(chan struct{})}
	go p.run(ctx)
	return p, nil
}

// Stop ends the prober and returns all that it has seen.
func (p *Prober) Stop() Probes {
	p.cancel()
	<-p.ended
	return p.Seen()
}

// Seen is what it has seen so far.
func (p *Prober) Seen() Probes {
	p.mu.Lock()
	defer p.mu.Unlock()
	seen := p.seen
	seen.Failures, seen.Serials, seen.UIDs = slices.Clone(seen.Failures), slices.Clone(seen.Serials), slices.Clone(seen.UIDs)
	return seen
}

func (p *Prober) run(ctx context.Context) {
	defer close(p.ended)
	tick := time.NewTicker(p.options.Interval)
	defer tick.Stop()
	for {
		p.attempt(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// attempt logs in once; one that Stop interrupts does not count.
func (p *Prober) attempt(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	secret, err := p.secrets.CoreV1().Secrets(p.options.Namespace).Get(ctx, p.options.Secret, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		p.mu.Lock()
		p.seen.Absent++
		p.mu.Unlock()
		return
	}
	var serial string
	if err == nil {
		serial, err = logIn(ctx, secret.Data[p.options.Key])
	}
	if ctx.Err() == context.Canceled {
		return
	}
	p.note(secret, serial, err)
}

func (p *Prober) note(secret *corev1.Secret, serial string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.seen.Attempts++
	if serial != "" && !slices.Contains(p.seen.Serials, serial) {
		p.seen.Serials = append(p.seen.Serials, serial)
	}
	if secret.UID != "" && !slices.Contains(p.seen.UIDs, secret.UID) {
		p.seen.UIDs = append(p.seen.UIDs, secret.UID)
	}
	if err != nil {
		p.seen.Failures = append(p.seen.Failures, ProbeFailure{Time: now, Serial: serial, Reason: err.Error()})
		return
	}
	p.seen.Last = now
}

// logIn asks the server of a kubeconfig who it is, over a connection of its own, and returns the certificate's serial.
func logIn(ctx context.Context, kubeconfig []byte) (string, error) {
	cfg, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		return "", fmt.Errorf("reading the kubeconfig: %w", err)
	}
	serial, err := Serial(kubeconfig)
	if err != nil {
		return "", err
	}
	tls, err := rest.TLSConfigFor(cfg)
	if err != nil {
		return serial, fmt.Errorf("reading the kubeconfig: %w", err)
	}
	transport := &http.Transport{TLSClientConfig: tls, DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	client, err := kubernetes.NewForConfigAndClient(&rest.Config{Host: cfg.Host, QPS: -1}, &http.Client{Transport: transport})
	if err != nil {
		return serial, err
	}
	review := &authenticationv1.SelfSubjectReview{}
	if _, err := client.AuthenticationV1().SelfSubjectReviews().Create(ctx, review, metav1.CreateOptions{}); err != nil {
		return serial, fmt.Errorf("logging in: %w", err)
	}
	return serial, nil
}
