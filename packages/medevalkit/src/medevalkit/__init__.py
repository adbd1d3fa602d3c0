"""medevalkit."""
