"""Speech tools: recognisers of words and translations, subtitles, voice activity."""
