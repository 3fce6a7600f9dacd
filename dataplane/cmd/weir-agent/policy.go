package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/weirhq/weir/dataplane"
)

type policy struct {
	Export exportPolicy `cmd:"" help:"Write the policy that an agent has on disk into a file that another agent of its gateway can begin with."`
}

type exportPolicy struct {
	StateDir string `env:"WEIR_STATE_DIR" required:"" placeholder:"DIR" help:"State folder of the agent, which may be running."`
	Out      string `required:"" placeholder:"FILE" help:"File to make; one that is there is never written over."`
}

func (e *exportPolicy) Run(out io.Writer) error {
	exported, err := dataplane.ExportPolicy(e.StateDir)
	if err != nil {
		return err
	}
	if err := create(e.Out, exported.File); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, `%s has the policy of gateway %s (organization %s): epoch %d, version %d, %d resources, revocations up to version %d.
It holds hashes of keys and sealed credentials, which open nothing by themselves; keep it as you keep configuration.

Start an agent with it:
  WEIR_POLICY_FILE=%s
  WEIR_POLICY_KEYS=%s
`, e.Out, exported.GatewayID, exported.OrganizationID, exported.Epoch, exported.Version, exported.Resources, exported.RevocationVersion,
		e.Out, strings.Join(exported.Keys, ","))
	return err
}

func create(path string, content []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write the policy: %w", err)
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(fmt.Errorf("write the policy: %w", err), os.Remove(path))
	}
	return nil
}
