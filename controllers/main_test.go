// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"os"
	"testing"

	"github.com/clustercredential/operator/hack/realkube"
)

func TestMain(m *testing.M) {
	os.Exit(realkube.Main(m, realkube.Options{CRDDirs: []string{"../config/crd/bases"}, OneCA: true}))
}
