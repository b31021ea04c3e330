// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package doccheck

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/clustercredential/operator/cmd/kubectl-clustercredential/commands"
)

// pluginPage is the page of the plugin for kubectl, whose flags are its own.
const pluginPage = "docs/kubectl.md"

func plugin() *cobra.Command {
	root := commands.New(commands.IO{})
	root.InitDefaultCompletionCmd() // as it does when it runs
	return root
}

// pluginFlags are those of all its commands.
func pluginFlags() []string {
	var names []string
	add := func(f *pflag.Flag) { names = append(names, f.Name) }
	root := plugin()
	root.PersistentFlags().VisitAll(add)
	for _, command := range root.Commands() {
		command.LocalFlags().VisitAll(add)
	}
	return names
}

// Each command of the plugin has a section, which names each flag of its own.
func TestEveryCommandAndFlagOfThePluginIsExplained(t *testing.T) {
	page := pages(t)[pluginPage]
	sections := 0
	for _, command := range plugin().Commands() {
		if command.Name() == "version" || command.Name() == "completion" {
			continue // they have sections of their own
		}
		section := page.section(t, "Commands", command.Name())
		sections++
		command.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			isUsual := slices.Contains([]string{"output", "all-namespaces", "help", "filename", "selector"}, f.Name)
			if !isUsual && !strings.Contains(section, "`--"+f.Name) {
				t.Errorf("%s does not explain --%s of %s", pluginPage, f.Name, command.Name())
			}
		})
	}
	if sections < 8 {
		t.Errorf("only %d commands", sections)
	}
}

// What pages have people type is understood.
func TestThePluginUnderstandsWhatPagesType(t *testing.T) {
	typed := 0
	for _, p := range pages(t) {
		lines := p.code()
		for _, b := range p.blocks {
			if b.language == "text" { // what is shown with its answer
				lines = append(lines, strings.Split(b.text, "\n")...)
			}
		}
		for _, line := range lines {
			rest, isPlugin := strings.CutPrefix(strings.TrimPrefix(strings.TrimSpace(line), "$ "), "kubectl clustercredential ")
			if !isPlugin {
				continue
			}
			rest, _, _ = strings.Cut(rest, " #")
			typed++
			command, args, err := plugin().Find(strings.Fields(rest))
			if err == nil {
				err = command.ParseFlags(args)
			}
			if errors.Is(err, pflag.ErrHelp) {
				continue
			}
			if err == nil {
				err = command.ValidateArgs(command.Flags().Args())
			}
			if err != nil {
				t.Errorf("%s: %q: %v", p.path, line, err)
			}
		}
	}
	if typed < 8 {
		t.Errorf("pages type only %d commands of the plugin", typed)
	}
}
