// Package ingest is the load test of usage: how much of a processor ingest takes for a
// record, beside the driver's own insert of the same rows, and how long after an answer its
// row is seen in SQL. Postgres, ClickHouse and Kafka are real ones of its own.
package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// Config of a run.
type Config struct {
	Rows    int           `default:"100000" help:"Records of one turn."`
	Rounds  int           `default:"5" help:"Turns of ingest and of the driver's insert, one after the other."`
	Plain   bool          `help:"Records without labels, end users, runs and candidates; else with all that a request can tell."`
	Rate    int           `default:"1000" help:"Requests a second through an agent, for the time until they are seen; 0: not measured."`
	For     time.Duration `default:"30s" help:"For how long."`
	Gather  time.Duration `help:"WEIR_INGEST_GATHER; its default when not given."`
	JSON    string        `name:"json" type:"path" help:"Write the results to this file, too."`
	PerCore float64       `default:"100000" help:"Records per second of ingest's processor that it is held against."`
	Visible time.Duration `default:"3s" help:"What the 99th percentile from answer to row is held against."`
}

// Run measures and writes a report to out.
func Run(ctx context.Context, c Config, out io.Writer) (err error) {
	if c.Rows < batchRecords || c.Rounds < 0 || c.Rate < 0 {
		return fmt.Errorf("--rows: at least %d; --rounds and --rate: not below 0", batchRecords)
	}
	dir, err := os.MkdirTemp("", "weir-loadtest-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	var env []string
	if c.Gather > 0 {
		env = append(env, "WEIR_INGEST_GATHER="+c.Gather.String())
	}
	s, err := newStage(ctx, dir, env...)
	if err != nil {
		return errors.Join(err, s.close())
	}
	defer func() { err = errors.Join(err, s.close()) }()
	r := newReport(out)
	if c.Rounds > 0 {
		if err := s.throughput(ctx, c, r); err != nil {
			return fmt.Errorf("throughput: %w", err)
		}
	}
	if c.Rate > 0 {
		if err := s.visible(ctx, c, r); err != nil {
			return fmt.Errorf("from answer to row: %w", err)
		}
	}
	return r.save(c.JSON)
}
