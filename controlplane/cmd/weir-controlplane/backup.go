package main

import (
	"context"
	"os"

	"github.com/weirhq/weir/controlplane"
)

type backup struct {
	File string `arg:"" help:"New file for the backup; it is never in place before it is whole."`
}

func (b *backup) Run(ctx context.Context) error {
	config, err := storeConfig()
	if err != nil {
		return err
	}
	return controlplane.Backup(ctx, config, b.File, os.Stdout)
}

type restore struct {
	File string `arg:"" help:"Backup to restore into an empty database."`
}

func (r *restore) Run(ctx context.Context) error {
	config, err := storeConfig()
	if err != nil {
		return err
	}
	return controlplane.Restore(ctx, config, r.File, os.Stdout)
}
