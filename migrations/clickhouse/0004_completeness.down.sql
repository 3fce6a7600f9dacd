DROP VIEW completeness
