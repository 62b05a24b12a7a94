"""Tables of settings that `settings.Config` puts together, a module for each subject."""
