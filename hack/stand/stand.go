// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/clustercredential/operator/hack/stack"
)

const namespace = "fleet"

// Place tells where everything is. hack/conformance/world reads it.
type Place struct {
	// Kubeconfig is a file with which one is the administrator of the API server.
	Kubeconfig string `json:"kubeconfig"`
	// Namespace holds the account.
	Namespace string `json:"namespace"`
	// Account is the name of the CloudAccount.
	Account string `json:"account"`
	// Clusters are the ids of the cloud's clusters, by name. The API server is each of them.
	Clusters map[string]string `json:"clusters"`
	// User is the name with which the certificates log in.
	User string `json:"user"`
	// Cloud is the URL of the simulator; docs/ccesim.md tells what it understands below /_sim/.
	Cloud string `json:"cloud"`
	// Logs is the directory with what the manager and the simulator print.
	Logs string `json:"logs"`
}

// stand is what runs.
type stand struct {
	clusters      []string
	binDir        string // unset: the programs are built
	managerArgs   []string
	out, progress io.Writer

	stack   *stack.Stack
	manager *stack.Manager
}

// serve starts everything, tells where it is, and returns once ctx or the manager ends.
func (s *stand) serve(ctx context.Context) error {
	place, err := s.start(ctx)
	if err != nil {
		return err
	}
	line, err := json.Marshal(place)
	if err != nil {
		return err
	}
	s.say("All is up. In another terminal:\n  export KUBECONFIG=%s\n  kubectl apply -f hack/demo/manifests/credentials.yaml\n"+
		"  kubectl get -n %s clustercredentials\nCtrl-C ends it.", place.Kubeconfig, place.Namespace)
	if _, err := fmt.Fprintf(s.out, "%s\n", line); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		s.say("Stopping")
		return nil
	case <-s.manager.Exited():
		return errors.New("the manager has ended by itself; it printed:\n" + s.manager.Log())
	}
}

// start starts the servers and the manager, and applies the account.
func (s *stand) start(ctx context.Context) (_ Place, err error) {
	if s.stack, err = stack.Start(ctx, stack.Options{Out: s.progress, Clusters: s.clusters, BinDir: s.binDir}); err != nil {
		return Place{}, err
	}
	s.say("starting the manager")
	if s.manager, err = s.stack.StartManager(ctx, stack.ManagerOptions{Name: "manager", Args: s.managerArgs}); err != nil {
		return Place{}, err
	}
	admin, err := s.stack.Client()
	if err != nil {
		return Place{}, err
	}
	for _, object := range stack.Account(namespace, stack.NoLimit) {
		if err := admin.Create(ctx, object); err != nil {
			return Place{}, fmt.Errorf("applying the account: %w", err)
		}
	}
	place := Place{
		Kubeconfig: s.stack.Kubeconfig, Namespace: namespace, Account: stack.AccountName, Clusters: map[string]string{},
		User: stack.UserID, Cloud: s.stack.Sim.URL, Logs: s.stack.Dir,
	}
	for _, name := range s.clusters {
		place.Clusters[name] = stack.ClusterID(name)
	}
	return place, nil
}

// stop stops what was started.
func (s *stand) stop() error {
	if s.stack == nil {
		return nil
	}
	return s.stack.Stop()
}

func (s *stand) say(format string, args ...any) {
	fmt.Fprintf(s.progress, format+"\n", args...)
}
