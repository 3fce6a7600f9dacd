package report

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// CSV writes a result as RFC 4180: a line of names, commas, CRLF, quotes where they are
// needed. NULL is empty, an empty text "". Lists and maps are JSON.
type CSV struct {
	// Raw leaves texts as they are. Otherwise those that a spreadsheet would take for a
	// formula, and names of columns, have an apostrophe before them.
	Raw bool

	numeric []bool
	buffer  []byte
}

var _ Sink = (*CSV)(nil)

// Columns implements Sink.
func (c *CSV) Columns(columns []Column) error {
	names := make([]any, len(columns))
	c.numeric = make([]bool, len(columns))
	for i, column := range columns {
		names[i] = column.Name
	}
	if err := c.line(names); err != nil {
		return err
	}
	for i, column := range columns {
		c.numeric[i] = isNumeric(column.Type)
	}
	return nil
}

// Rows implements Sink.
func (c *CSV) Rows(rows [][]any) error {
	for _, row := range rows {
		if err := c.line(row); err != nil {
			return err
		}
	}
	return nil
}

// Take returns what was written since the last Take. It is good until the next line.
func (c *CSV) Take() []byte {
	taken := c.buffer
	c.buffer = c.buffer[:0]
	return taken
}

// CSVLine is one line of texts.
func CSVLine(texts ...string) []byte {
	c := CSV{Raw: true}
	for i, text := range texts {
		c.separate(i)
		c.text(text)
	}
	return append(c.buffer, "\r\n"...)
}

func (c *CSV) separate(i int) {
	if i > 0 {
		c.buffer = append(c.buffer, ',')
	}
}

func (c *CSV) line(row []any) error {
	for i, value := range row {
		c.separate(i)
		if err := c.cell(value, c.numeric[i]); err != nil {
			return err
		}
	}
	c.buffer = append(c.buffer, "\r\n"...)
	return nil
}

func (c *CSV) cell(value any, numeric bool) error {
	switch v := value.(type) {
	case nil:
	case bool:
		c.buffer = strconv.AppendBool(c.buffer, v)
	case float64:
		c.buffer = strconv.AppendFloat(c.buffer, v, 'f', -1, 64)
	case string:
		if !numeric && !c.Raw && isFormula(v) {
			v = "'" + v
		}
		c.text(v)
	default:
		text, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("write a cell: %w", err)
		}
		c.text(string(text))
	}
	return nil
}

func (c *CSV) text(s string) {
	if s != "" && !strings.ContainsAny(s, ",\"\r\n") && s[0] != ' ' && s[len(s)-1] != ' ' {
		c.buffer = append(c.buffer, s...)
		return
	}
	c.buffer = append(c.buffer, '"')
	c.buffer = append(c.buffer, strings.ReplaceAll(s, `"`, `""`)...)
	c.buffer = append(c.buffer, '"')
}

// isFormula tells what spreadsheets may run (OWASP, "CSV Injection"), fullwidth forms
// of it included.
func isFormula(s string) bool {
	for _, start := range []string{"=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"} {
		if strings.HasPrefix(s, start) {
			return true
		}
	}
	return false
}

// isNumeric tells whose texts are digits, and never what a caller wrote.
func isNumeric(columnType string) bool {
	for _, wrapper := range []string{"LowCardinality(", "Nullable("} {
		columnType = strings.TrimPrefix(columnType, wrapper)
	}
	for _, start := range []string{"Int8", "Int16", "Int32", "Int64", "Int128", "Int256", "UInt", "Float", "BFloat", "Decimal"} {
		if strings.HasPrefix(columnType, start) {
			return true
		}
	}
	return false
}
