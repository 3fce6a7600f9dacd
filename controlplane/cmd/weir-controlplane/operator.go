package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/weirhq/weir/controlplane"
)

// files are what every command on keys needs beside WEIR_POSTGRES_URL.
type files struct {
	HouseKeyFile string `env:"WEIR_HOUSE_KEY_FILE" required:"" help:"File with the house keys."`
}

func (f files) run(ctx context.Context, do func(*controlplane.Operator) error) error {
	config := controlplane.Config{HouseKeyFile: f.HouseKeyFile}
	if err := config.LoadSecrets(); err != nil {
		return err
	}
	operator, err := controlplane.OpenOperator(ctx, config, os.Stdout, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err != nil {
		return err
	}
	defer operator.Close()
	return do(operator)
}

type auditCommands struct {
	Verify auditVerify `cmd:"" help:"Look for rows of the log that were edited, removed or added. Prints one line for each organization that is whole; its VERSION:HASH is the anchor to keep elsewhere."`
	Begin  auditBegin  `cmd:"" help:"Chain what a release from before audit chains recorded."`
}

type auditVerify struct {
	files
	Organization string `help:"Name or id; empty: all."`
	Expect       string `placeholder:"VERSION:HASH" help:"An anchor of that organization that was kept."`
	From         int64  `placeholder:"VERSION" help:"First version to look at; what is before it is believed, but for an anchor of the version before it."`
	To           int64  `placeholder:"VERSION" help:"Last version to look at."`
}

func (c *auditVerify) Run(ctx context.Context) error {
	return c.run(ctx, func(o *controlplane.Operator) error {
		return o.AuditVerify(ctx, controlplane.Verification{Organization: c.Organization, Expect: c.Expect, From: c.From, To: c.To})
	})
}

type auditBegin struct {
	files
	Organization string `help:"Name or id; empty: all."`
}

func (c *auditBegin) Run(ctx context.Context) error {
	return c.run(ctx, func(o *controlplane.Operator) error { return o.AuditBegin(ctx, c.Organization) })
}

type keysCommands struct {
	List          keysList          `cmd:"" help:"List the house keys and the signing keys."`
	AddHouse      keysAddHouse      `cmd:"" help:"Put a new house key into the file, as the newest."`
	RotateHouse   keysRotateHouse   `cmd:"" help:"Wrap every secret at rest under the newest house key."`
	DropHouse     keysDropHouse     `cmd:"" help:"Remove a house key that wraps nothing from the file."`
	RotateSigning keysRotateSigning `cmd:"" help:"Announce a new signing key to agents."`
	RetireSigning keysRetireSigning `cmd:"" help:"Let the announced signing key take over; the old one is believed no more."`
	RotateAudit   keysRotateAudit   `cmd:"" help:"Make a new key for audit links."`
}

type keysList struct{ files }

func (c *keysList) Run(ctx context.Context) error {
	return c.run(ctx, func(o *controlplane.Operator) error { return o.KeysList(ctx) })
}

type keysAddHouse struct{ files }

func (c *keysAddHouse) Run(ctx context.Context) error {
	return c.run(ctx, func(o *controlplane.Operator) error { return o.AddHouseKey() })
}

type keysRotateHouse struct{ files }

func (c *keysRotateHouse) Run(ctx context.Context) error {
	return c.run(ctx, func(o *controlplane.Operator) error { return o.RotateHouse(ctx) })
}

type keysDropHouse struct {
	files
	ID string `arg:"" help:"Id of the key, as keys list prints it."`
}

func (c *keysDropHouse) Run(ctx context.Context) error {
	return c.run(ctx, func(o *controlplane.Operator) error { return o.DropHouseKey(ctx, c.ID) })
}

// whose is one organization or all, said explicitly.
type whose struct {
	Organization string `xor:"whose" required:"" help:"Name or id."`
	All          bool   `xor:"whose" required:"" help:"Every organization."`
}

type keysRotateSigning struct {
	files
	whose
}

func (c *keysRotateSigning) Run(ctx context.Context) error {
	return c.run(ctx, func(o *controlplane.Operator) error { return o.RotateSigning(ctx, c.Organization) })
}

type keysRetireSigning struct {
	files
	whose
	Force bool `help:"Though agents don't know the new key: they must be enrolled anew."`
}

func (c *keysRetireSigning) Run(ctx context.Context) error {
	return c.run(ctx, func(o *controlplane.Operator) error {
		return o.RetireSigning(ctx, c.Organization, c.Force)
	})
}

type keysRotateAudit struct{ files }

func (c *keysRotateAudit) Run(ctx context.Context) error {
	return c.run(ctx, func(o *controlplane.Operator) error { return o.RotateAudit(ctx) })
}
