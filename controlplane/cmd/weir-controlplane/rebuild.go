package main

import (
	"context"
	"errors"
	"os"

	"github.com/weirhq/weir/controlplane"
)

type rebuild struct {
	Organization string `help:"Name or id of the organization whose read models to compare with its log."`
	All          bool   `help:"Every organization, one after the other."`
	Replace      bool   `help:"Put right what differs; writers of that organization wait meanwhile."`
}

// Validate is kong's.
func (r *rebuild) Validate() error {
	if (r.Organization == "") == !r.All {
		return errors.New("say which: --organization NAME or --all")
	}
	return nil
}

func (r *rebuild) Run(ctx context.Context) error {
	config, err := storeConfig()
	if err != nil {
		return err
	}
	return controlplane.Rebuild(ctx, config, controlplane.Rebuilding{Organization: r.Organization, Replace: r.Replace}, os.Stdout)
}

// storeConfig is all that commands on the configuration store need.
func storeConfig() (controlplane.Config, error) {
	var config controlplane.Config
	return config, config.LoadSecrets()
}
