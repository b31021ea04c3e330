// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package commands

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
)

type renewOptions struct {
	all, everywhere, wait bool
	selector              string
	timeout               time.Duration
}

const aboutRenew = `Asks for a new certificate now, by the annotation clustercredential.dev/renew-requested-at. The one before
stays valid until it expires.

With --wait it returns once the certificates are published, or cannot be: exit code 2 where nothing will change until somebody acts.`

func newRenew(h *hub) *cobra.Command {
	var o renewOptions
	cmd := &cobra.Command{
		Use: "renew NAME...", Short: "Request a new certificate, and wait for it", Long: aboutRenew, ValidArgsFunction: h.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error { return h.renew(cmd.Context(), args, o) },
	}
	cmd.Flags().BoolVar(&o.all, "all", false, "all of the namespace")
	cmd.Flags().BoolVarP(&o.everywhere, "all-namespaces", "A", false, "with --all or -l: of all namespaces")
	cmd.Flags().StringVarP(&o.selector, "selector", "l", "", "those with these labels")
	cmd.Flags().BoolVar(&o.wait, "wait", false, "wait until the new certificates are published")
	cmd.Flags().DurationVar(&o.timeout, "timeout", 5*time.Minute, "with --wait: how long")
	return cmd
}

func (h *hub) renew(ctx context.Context, names []string, o renewOptions) error {
	several := o.all || o.selector != ""
	switch {
	case len(names) > 0 && several:
		return errors.New("give names, or --all or -l, not both")
	case len(names) == 0 && !several:
		return errors.New("which ones? Give names, --all or -l")
	case o.everywhere && !several:
		return errors.New("-A goes with --all or -l")
	}
	s, err := h.connect()
	if err != nil {
		return err
	}
	if several {
		_, credentials, err := s.credentials(ctx, o.everywhere, o.selector)
		if err != nil {
			return err
		}
		if len(credentials) == 0 {
			return fmt.Errorf("there are no such ClusterCredentials %s", s.where(o.everywhere))
		}
		return s.renewAll(ctx, keysOf(credentials), o)
	}
	keys := make([]types.NamespacedName, len(names))
	for i, name := range names {
		keys[i] = s.key(name)
	}
	return s.renewAll(ctx, keys, o)
}

func keysOf(credentials []v1alpha1.ClusterCredential) []types.NamespacedName {
	keys := make([]types.NamespacedName, len(credentials))
	for i := range credentials {
		keys[i] = client.ObjectKeyFromObject(&credentials[i])
	}
	return keys
}

// renewAll requests them all first. One that cannot be requested does not keep the others from it.
func (s *session) renewAll(ctx context.Context, keys []types.NamespacedName, o renewOptions) error {
	value := s.Now().UTC().Format(time.RFC3339Nano)
	var requests []*renewal
	var failed []error
	for _, key := range keys {
		cc, err := s.request(ctx, key, value)
		if err != nil {
			failed = append(failed, fmt.Errorf("request a renewal of ClusterCredential %s: %w", key, err))
			continue
		}
		if !o.wait {
			if _, err := fmt.Fprintf(s.Out, "clustercredential %s: renewal requested\n", key); err != nil {
				return err
			}
		}
		if cc.Spec.Suspend {
			fmt.Fprintf(s.Err, "%s: spec.suspend is true, so it is renewed once that is false\n", key)
		}
		requests = append(requests, &renewal{
			key: key, value: value, version: cc.ResourceVersion, handled: cc.Status.LastHandledRenewRequest, since: s.Now(),
		})
	}
	var answer error
	if o.wait {
		answer = s.await(ctx, requests, o.timeout)
	}
	for _, err := range failed[:max(0, len(failed)-1)] {
		fmt.Fprintln(s.Err, "error:", advice(err))
	}
	if len(failed) > 0 {
		return failed[len(failed)-1]
	}
	return answer
}

// request sets the annotation, and returns the object as it is then.
func (s *session) request(ctx context.Context, key types.NamespacedName, value string) (*v1alpha1.ClusterCredential, error) {
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"annotations": map[string]string{v1alpha1.AnnotationRenewRequestedAt: value}},
	})
	if err != nil {
		return nil, err
	}
	cc := &v1alpha1.ClusterCredential{}
	cc.Namespace, cc.Name = key.Namespace, key.Name
	return cc, s.Patch(ctx, cc, client.RawPatch(types.MergePatchType, patch))
}
