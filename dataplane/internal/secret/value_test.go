package secret

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestValueNeverPrints(t *testing.T) {
	value := NewValue("canary")
	inside := struct{ Credential Value }{value}
	text, err := json.Marshal(inside)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "value", value, "inside", inside)
	printed := fmt.Sprintf("%v %+v %#v %s %q %x %v %+v %#v", value, value, value, value, value, value, inside, inside, &inside) + string(text) + log.String()
	if strings.Contains(printed, "canary") || strings.Contains(printed, fmt.Sprintf("%x", "canary")) {
		t.Errorf("printed %s", printed)
	}
	if value.Reveal() != "canary" {
		t.Error("the value is lost")
	}
}
