// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package realkube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// RestoreOptions say how etcd is put back. The zero value lets resourceVersions go back in time.
type RestoreOptions struct {
	// BumpRevision is added to the snapshot's revision, and everything before counts as compacted, so that no watch can go on
	// from before the restore. 0: revisions are counted on from that of the snapshot, and given out a second time.
	BumpRevision uint64
	// Meanwhile is called while neither server runs. Unset: nothing.
	Meanwhile func() error
}

// Snapshot writes what etcd holds to a file, while it serves, as "etcdctl snapshot save" does.
func (c *Cluster) Snapshot(ctx context.Context, file string) (err error) {
	out, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.EtcdURL()+"/v3/maintenance/snapshot", strings.NewReader("{}"))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("asking etcd for a snapshot: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("asking etcd for a snapshot: %s", response.Status)
	}
	return writeParts(out, response.Body)
}

// writeParts puts together what etcd sends in parts, the last of which is a checksum that etcdutl looks at.
func writeParts(out io.Writer, stream io.Reader) error {
	parts := json.NewDecoder(stream)
	for {
		var part struct {
			Result struct {
				Blob []byte `json:"blob"`
			} `json:"result"`
			Error *struct {
				Message string `json:"message"`
			} `json:"error"`
		}
		err := parts.Decode(&part)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("reading a snapshot from etcd: %w", err)
		case part.Error != nil:
			return fmt.Errorf("reading a snapshot from etcd: %s", part.Error.Message)
		}
		if _, err := out.Write(part.Result.Blob); err != nil {
			return err
		}
	}
}

// Restore stops the servers, puts etcd back to a snapshot with etcdutl, and starts them again at the same addresses. The
// controllers are started anew, as the documentation of Kubernetes wants it of every component; other clients live on.
func (c *Cluster) Restore(ctx context.Context, snapshot string, o RestoreOptions) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	etcdutl, err := findAssets(filepath.Dir(c.etcd.Path), "etcdutl")
	if err != nil {
		return err
	}
	if err := errors.Join(c.controllers.stop(), c.apiServer.Stop(), c.etcd.Stop()); err != nil {
		return fmt.Errorf("stopping for a restore: %w", err)
	}
	if err := restoreData(ctx, filepath.Join(etcdutl, "etcdutl"), snapshot, c.etcd.DataDir, o.BumpRevision); err != nil {
		return err
	}
	if o.Meanwhile != nil {
		if err := o.Meanwhile(); err != nil {
			return err
		}
	}
	if err := c.startProcesses(ctx); err != nil {
		return err
	}
	if err := c.waitUntilReady(ctx); err != nil || len(c.opts.Controllers) == 0 {
		return err
	}
	c.controllers, err = c.startControllers(filepath.Dir(c.etcd.Path), c.opts)
	return err
}

// restoreData puts what a snapshot holds in the place of etcd's data.
func restoreData(ctx context.Context, etcdutl, snapshot, dir string, bump uint64) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	args := []string{"snapshot", "restore", snapshot, "--data-dir=" + dir}
	if bump > 0 {
		args = append(args, "--bump-revision="+strconv.FormatUint(bump, 10), "--mark-compacted")
	}
	if out, err := exec.CommandContext(ctx, etcdutl, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("etcdutl %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}
