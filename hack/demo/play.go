// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/stack"
)

const (
	manifests = "hack/demo/manifests"
	namespace = "fleet"

	shopSecret    = "shop-kubeconfig"
	billingSecret = "billing-kubeconfig"

	// lifetime is what the cloud grants after a while, whatever is asked for.
	lifetime = 40 * time.Second
	// probing is how often a client logs in with each credential.
	probing = 100 * time.Millisecond
)

// act is one ClusterCredential of the manifests, and what is going to happen to it.
type act struct {
	name, secret, key string
	cue               time.Duration // from Ready on
	perform           func(*play) error
}

// acts in the order of the table. "search" is left alone: it shows the rotation by time. "billing" is asked for first, before
// the cloud grants less, and renewed so late that its 40 seconds, which nobody renews, last until the end.
var acts = []act{
	{name: "shop", secret: shopSecret, key: "value", cue: 12 * time.Second, perform: (*play).deleteSecret},
	{name: "search", secret: "search-admin", key: "kubeconfig"},
	{name: "billing", secret: billingSecret, key: "value", cue: 25 * time.Second, perform: (*play).requestRenewal},
}

// play is what is on stage.
type play struct {
	screen  *screen
	stack   *stack.Stack
	client  client.Client
	probers map[string]*stack.Prober
}

// play plays the demo:
//
//  1. start etcd, kube-apiserver and the cloud, then the manager,
//  2. apply an account and a ClusterCredential, and log in with it,
//  3. have the cloud grant 40 seconds only, and apply two more,
//  4. watch them rotate while clients log in, ask for a renewal, delete a Secret,
//  5. count.
func (p *play) play(ctx context.Context) (result, error) {
	for _, scene := range []func(context.Context) error{p.start, p.first, p.more, p.watch} {
		if err := scene(ctx); err != nil {
			return result{}, err
		}
	}
	return p.count(ctx)
}

func (p *play) first(ctx context.Context) error {
	p.screen.say("Telling the operator about an account of the cloud, and the first cluster in it")
	for _, file := range []string{"account.yaml", "billing.yaml"} {
		if err := p.kubectl("apply", "-f", manifests+"/"+file); err != nil {
			return err
		}
	}
	if err := p.waitUntilReady(ctx, 1); err != nil {
		return err
	}
	return p.logIn()
}

func (p *play) more(ctx context.Context) error {
	p.screen.say("From now on the cloud grants %s for each certificate, whatever is asked for. Two more clusters", lifetime)
	if err := p.stack.Sim.SetGrantedLifetime(lifetime); err != nil {
		return err
	}
	if err := p.kubectl("apply", "-f", manifests+"/credentials.yaml"); err != nil {
		return err
	}
	if err := p.waitUntilReady(ctx, len(acts)); err != nil {
		return err
	}
	for _, a := range acts {
		prober, err := p.stack.Prober(stack.ProbeOptions{Namespace: namespace, Secret: a.secret, Key: a.key, Interval: probing})
		if err != nil {
			return err
		}
		p.probers[a.name] = prober
	}
	return nil
}

// start starts everything; the first line is there before anything can take time.
func (p *play) start(ctx context.Context) (err error) {
	p.screen.say("Starting a Kubernetes API server, a simulated Huawei Cloud and the operator on this machine")
	if _, err := os.Stat(manifests); err != nil {
		return errors.New(`run "make demo" at the root of the repository`)
	}
	p.probers = map[string]*stack.Prober{}
	defer p.screen.busy()()
	p.stack, err = stack.Start(ctx, stack.Options{
		Out: p.screen, Clusters: []string{"shop", "search", "billing"},
	})
	if err != nil {
		return err
	}
	p.screen.say("starting the manager")
	if _, err := p.stack.StartManager(ctx, stack.ManagerOptions{Args: []string{"--min-issue-interval=5s"}}); err != nil {
		return err
	}
	if p.client, err = p.stack.Client(); err != nil {
		return err
	}
	p.screen.say("All is up. To look around while it lasts: export KUBECONFIG=%s", p.stack.Kubeconfig)
	return nil
}

// stop stops what was started; a second time it does nothing.
func (p *play) stop() error {
	for _, prober := range p.probers {
		prober.Stop()
	}
	if p.stack == nil {
		return nil
	}
	return p.stack.Stop()
}

// kubectl shows a command, runs it and shows what it printed.
func (p *play) kubectl(args ...string) error {
	p.screen.command("kubectl " + strings.Join(args, " "))
	out, err := p.stack.Kubectl(args...)
	if err != nil {
		return err
	}
	p.screen.output(strings.Split(strings.TrimRight(out, "\n"), "\n"))
	return nil
}

// logIn shows that the Secret's kubeconfig is one.
func (p *play) logIn() error {
	p.screen.say("Does it work? Taking the kubeconfig out of a Secret, and asking the cluster who we are")
	file := filepath.Join(p.stack.Dir, "billing.kubeconfig")
	get := []string{"get", "secret", "-n", namespace, billingSecret, "-o", "go-template={{.data.value | base64decode}}"}
	p.screen.command(fmt.Sprintf("kubectl %s '%s' > %s", strings.Join(get[:len(get)-1], " "), get[len(get)-1], file))
	kubeconfig, err := p.stack.Kubectl(get...)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, []byte(kubeconfig), 0o600); err != nil {
		return err
	}
	return p.kubectl("--kubeconfig", file, "auth", "whoami")
}

func (p *play) deleteSecret() error {
	p.screen.say("What if someone deletes a Secret? It comes back, with a new certificate")
	return p.kubectl("delete", "secret", "-n", namespace, shopSecret)
}

func (p *play) requestRenewal() error {
	p.screen.say(`"billing" is renewed by hand only. An annotation asks for it; it gets at most one a minute`)
	return p.kubectl("annotate", "clustercredential", "-n", namespace, "billing", v1alpha1.AnnotationRenewRequestedAt+"=now")
}
