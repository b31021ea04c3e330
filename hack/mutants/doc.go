// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Program mutants says whether the tests are worth something: it puts one bug after the other
// into a copy of this repository, and expects the tests to fail.
//
// Each file in bugs/ is a bug: what is wrong, in one line; then "Test: PACKAGE REGEXP" for each
// test that has to notice; then a patch. The tests must pass without the patch, and fail with it,
// each of them; a bug that does not compile proves nothing.
//
// "make mutants" runs all of them; "make mutants ARGS=budget" those with "budget" in
// their name. The tests of this package look whether all patches still apply.
package main
