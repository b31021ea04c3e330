// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// Profile returns a profile for "go tool pprof", of a manager that was started with ManagerOptions.Profiles: "heap", or
// "profile?seconds=5" for where its CPU time goes during the next five seconds.
func (m *Manager) Profile(ctx context.Context, name string) ([]byte, error) {
	if m.profiles == "" {
		return nil, errors.New("this manager was started without profiles")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, m.profiles+name, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("profiling %s: %w", m.Name, err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("profiling %s: HTTP %d", m.Name, response.StatusCode)
	}
	return io.ReadAll(response.Body)
}
