// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/clustercredential/operator/hack/realkube"
)

// atATime is how many tests run at a time, unless -parallel says otherwise: each waits for the API server most of the time.
const atATime = "6"

func TestMain(m *testing.M) {
	flag.Parse()
	isGiven := false
	flag.Visit(func(f *flag.Flag) { isGiven = isGiven || f.Name == "test.parallel" })
	if !isGiven {
		if err := flag.Set("test.parallel", atATime); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	os.Exit(realkube.Main(m, realkube.Options{CRDDirs: []string{"../config/crd/bases"}, OneCA: true}))
}
