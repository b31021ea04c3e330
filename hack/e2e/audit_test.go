// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// auditLog is what the API server was asked by the operator, by its own account.
type auditLog struct {
	file string

	mu       sync.Mutex
	offset   int64
	requests []request
}

// request is one request of a manager, once it was answered.
type request struct {
	Stage string `json:"stage"`
	URI   string `json:"requestURI"`
	Verb  string `json:"verb"`
	User  struct {
		Username string `json:"username"`
	} `json:"user"`
	Agent  string `json:"userAgent"`
	Object struct {
		Resource    string `json:"resource"`
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
		Group       string `json:"apiGroup"`
		Subresource string `json:"subresource"`
	} `json:"objectRef"`
	Answer struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
	Received    time.Time         `json:"requestReceivedTimestamp"`
	Annotations map[string]string `json:"annotations"`
}

func (r request) String() string {
	resource := r.Object.Resource
	if r.Object.Subresource != "" {
		resource += "/" + r.Object.Subresource
	}
	return fmt.Sprintf("%s %s.%s %s/%s (%d)", r.Verb, resource, r.Object.Group, r.Object.Namespace, r.Object.Name, r.Answer.Code)
}

// forbidden says whether the roles did not allow it; that a namespace is on its way out is something else.
func (r request) forbidden() bool { return r.Annotations["authorization.k8s.io/decision"] == "forbid" }

func (r request) grant() grant {
	resource := r.Object.Resource
	if r.Object.Subresource != "" {
		resource += "/" + r.Object.Subresource
	}
	return grant{group: r.Object.Group, resource: resource, verb: r.Verb}
}

// changes says whether it changed something. A dry run does not.
func (r request) changes() bool {
	return slices.Contains([]string{"create", "update", "patch", "delete", "deletecollection"}, r.Verb) &&
		!strings.Contains(r.URI, "dryRun=All") && r.Answer.Code < 300
}

// isAboutAccount says whether it concerns an account and not a credential: its status, and events about it.
func (r request) isAboutAccount() bool {
	return r.Object.Resource == "cloudaccounts" || r.Object.Resource == "clustercloudaccounts"
}

// read returns every request of the operator so far.
func (l *auditLog) read() ([]request, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	file, err := os.Open(l.file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	if _, err := file.Seek(l.offset, io.SeekStart); err != nil {
		return nil, err
	}
	lines := bufio.NewReaderSize(file, 1<<20)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return l.requests, nil // what is left of a line comes with the next call
		}
		if err != nil {
			return nil, err
		}
		l.offset += int64(len(line))
		if err := l.add(line); err != nil {
			return nil, err
		}
	}
}

func (l *auditLog) add(line []byte) error {
	if !bytes.Contains(line, []byte(operatorUser)) {
		return nil
	}
	var r request
	if err := json.Unmarshal(line, &r); err != nil {
		return fmt.Errorf("reading the audit log: %w", err)
	}
	if r.User.Username == operatorUser && (r.Stage == "ResponseComplete" || r.Stage == "ResponseStarted") {
		l.requests = append(l.requests, r)
	}
	return nil
}
