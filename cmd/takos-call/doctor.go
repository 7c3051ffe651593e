package main

import (
	"context"

	"github.com/takoserver/takos-call/internal/config"
	"github.com/takoserver/takos-call/internal/doctor"
)

// doctorCommand checks this machine and the settings.
type doctorCommand struct {
	JSON bool `name:"json" help:"Write the findings as JSON."`

	config.Config `embed:""`
}

// Run writes the report. The exit code is 1 if something keeps calls from
// working.
func (d *doctorCommand) Run(ctx context.Context, sources *config.Sources, c console) error {
	report := doctor.Examine(ctx, doctor.ThisMachine(), doctor.Settings{Config: &d.Config, Name: sources.Name})
	write := report.WriteText
	if d.JSON {
		write = report.WriteJSON
	}
	if err := write(c.out); err != nil {
		return err
	}
	if report.Failed() {
		return errReported
	}
	return nil
}
